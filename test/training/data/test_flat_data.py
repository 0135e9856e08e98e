"""The mapped copy of a folder: what it holds, when it is made anew, what it refuses."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fb_ros.cli import main
from fb_ros.errors import FbRosError
from sim.robots.registry import make_environment
from training.collecting.collect_config import CollectConfig
from training.commands.collect import collect
from training.data.data import Transitions
from training.data.episode import load_episode
from training.data.flat_data import open_flat
from training.data.moments import Moments

SPEC = make_environment("point_mass").spec


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tmp_path = tmp_path_factory.mktemp("collected")
    for name, count, steps in (("first", 3, 8), ("second", 2, 5)):
        collect(
            CollectConfig(
                robot="point_mass",
                out=tmp_path / name,
                episodes=count,
                episode_steps=steps,
                seed=count,
                workers=1,
            )
        )
    return tmp_path


@pytest.fixture
def folder(collected: Path, tmp_path: Path) -> Path:
    shutil.copytree(collected, tmp_path / "folder")
    return tmp_path / "folder"


def test_every_transition_is_that_of_its_episode(folder: Path) -> None:
    data = Transitions((folder / "first", folder / "second"), SPEC)
    paths = [*sorted(folder.glob("first/*.npz")), *sorted(folder.glob("second/*.npz"))]
    episodes = [load_episode(path) for path in paths]
    rows = data.rows_of(torch.arange(len(data)))
    expected = np.concatenate([episode.observation[:-1] for episode in episodes])
    np.testing.assert_array_equal(data.observation_at(rows), expected)
    expected = np.concatenate([episode.features[1:] for episode in episodes])
    np.testing.assert_array_equal(data.features_at(rows + 1), expected)
    expected = np.concatenate([episode.physics[:-1] for episode in episodes])
    np.testing.assert_array_equal(data.physics_at(rows), expected)
    every = np.concatenate([episode.observation for episode in episodes])
    np.testing.assert_allclose(data.moments("observation").mean, every.mean(0), atol=1e-6)
    np.testing.assert_allclose(data.moments("observation").std, every.std(0, ddof=1), atol=1e-6)


def test_rows_are_mapped_and_not_read(folder: Path) -> None:
    assert isinstance(open_flat(folder / "first", SPEC).rows, np.memmap)


def test_the_copy_is_made_anew_when_the_data_change_and_only_then(folder: Path) -> None:
    first = folder / "first"
    assert len(Transitions((first,), SPEC)) == 24
    made = (first / "flat" / "index.json").stat().st_mtime_ns
    assert len(Transitions((first,), SPEC)) == 24
    assert (first / "flat" / "index.json").stat().st_mtime_ns == made
    min(first.glob("episode_*.npz")).unlink()
    assert len(Transitions((first,), SPEC)) == 16
    assert not (first / ".flat.partial").exists()


def test_what_a_killed_process_left_is_cleared_away(folder: Path) -> None:
    left = folder / "first" / ".flat.partial"
    left.mkdir()
    (left / "rows.f32").write_bytes(b"half a row")
    assert len(Transitions((folder / "first",), SPEC)) == 24
    assert not left.exists()


def test_processes_that_start_together_share_one_copy(folder: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from sim.robots.registry import make_environment;"
        "from training.data.flat_data import open_flat;"
        "print(len(open_flat(Path(sys.argv[1]), make_environment('point_mass').spec).rows))"
    )
    words = [sys.executable, "-c", program, str(folder / "first")]
    together = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate()[0].strip() for process in together] == ["27"] * 3


def _nan(arrays: dict[str, np.ndarray]) -> None:
    arrays["observation"][3] = np.nan


def _huge(arrays: dict[str, np.ndarray]) -> None:
    arrays["observation"] = arrays["observation"].astype(np.float64)
    arrays["observation"][3] = 1e300


def _narrow(arrays: dict[str, np.ndarray]) -> None:
    arrays["observation"] = arrays["observation"][:, :2]


def _discounted(arrays: dict[str, np.ndarray]) -> None:
    arrays["discount"][4:] = 0.99


def _narrow_physics(arrays: dict[str, np.ndarray]) -> None:
    arrays["physics"] = arrays["physics"][:, :3]


def _ragged(arrays: dict[str, np.ndarray]) -> None:
    arrays["action"] = arrays["action"][:-2]


def _short(arrays: dict[str, np.ndarray]) -> None:
    for name in arrays:
        arrays[name] = arrays[name][:1]


def _incomplete(arrays: dict[str, np.ndarray]) -> None:
    del arrays["action"]


def _beyond(arrays: dict[str, np.ndarray]) -> None:
    arrays["action"][2] = 7.0


def _early(arrays: dict[str, np.ndarray]) -> None:
    arrays["discount"][2] = 0.0


DAMAGE: dict[str, tuple[Callable[[dict[str, np.ndarray]], None], str]] = {
    "nan": (_nan, "NaN or infinity, first in row 3"),
    "huge": (_huge, "holds 1e+300, beyond float32, first in row 3"),
    "width": (_narrow, "observation has 2 components, robot point_mass has 5"),
    "physics": (_narrow_physics, "physics has 3 components, robot point_mass has 4"),
    "ragged": (_ragged, "differ in length"),
    "short": (_short, "no transition"),
    "incomplete": (_incomplete, "it lacks action"),
    "actions": (_beyond, "an action is 7, expected -1 to 1"),
    "discount": (_discounted, "discount is 0.99 in row 4, expected 0"),
    "early end": (_early, "row 2 is terminal"),
}


@pytest.mark.parametrize("damage", [*DAMAGE, "truncated"])
def test_a_bad_episode_is_reported_by_name_and_never_trained_on(
    folder: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = folder / "first"
    bad = max(first.glob("episode_*.npz"))
    if damage == "truncated":
        bad.write_bytes(bad.read_bytes()[:-200])
        expected = "not a whole episode"
    else:
        spoil, expected = DAMAGE[damage]
        arrays = dict(np.load(bad))
        spoil(arrays)
        np.savez(bad, **arrays)
    with pytest.raises(
        FbRosError, match=f"{bad.name}.*{re.escape(expected)}.*; 1 of the 3 episodes"
    ):
        Transitions((first,), SPEC)
    assert not (first / "flat").exists()
    assert main(["data", "inspect", str(first), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert [entry["episode"] for entry in result["problems"]] == [bad.name]
    assert expected in result["problems"][0]["problem"]
    # Set aside, the rest can be trained on.
    assert main(["data", "inspect", str(first), "--set-aside"]) == 0
    assert (first / "bad" / bad.name).exists()
    assert len(Transitions((first,), SPEC)) == 16
    assert main(["data", "inspect", str(first)]) == 0


@pytest.mark.parametrize("name", ["episode_x.npz", "episode_xx_8.npz", "episode_1_8_8.npz"])
def test_a_file_that_is_not_named_as_an_episode_is_not_trained_on(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = folder / "first"
    max(first.glob("episode_*.npz")).rename(first / name)
    expected = "it is not named episode_NUMBER_STEPS.npz"
    with pytest.raises(FbRosError, match=f"{name}: {expected}; 1 of the 3"):
        Transitions((first,), SPEC)
    assert main(["data", "inspect", str(first), "--json"]) == 1
    problems = json.loads(capsys.readouterr().out)["problems"]
    assert problems == [{"episode": name, "problem": expected}]


def test_without_a_robot_an_episode_of_another_width_is_reported_by_name(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = folder / "first"
    (first / "data.json").unlink()
    bad = min(first.glob("episode_*.npz"))
    arrays = dict(np.load(bad))
    np.savez(bad, **{**arrays, "physics": arrays["physics"][:, :3]})
    assert main(["data", "inspect", str(first), "--json"]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem == {
        "episode": bad.name,
        "problem": "physics has 3 components, most episodes have 4",
    }
    assert main(["data", "inspect", str(first), "--set-aside"]) == 0
    assert (first / "bad" / bad.name).exists()


def test_a_damaged_copy_is_refused(folder: Path) -> None:
    Transitions((folder / "first",), SPEC)
    rows = folder / "first" / "flat" / "rows.f32"
    rows.write_bytes(rows.read_bytes()[:-4])
    with pytest.raises(FbRosError, match=r"expected .* delete"):
        Transitions((folder / "first",), SPEC)


def test_rewards_cannot_be_computed_without_physics(folder: Path) -> None:
    second = folder / "second"
    path = min(second.glob("episode_*.npz"))
    arrays = dict(np.load(path))
    arrays["physics"] = arrays["physics"][:, :0]
    np.savez(path, **arrays)
    data = Transitions((folder / "first", second), SPEC)
    with pytest.raises(FbRosError, match="physics to compute rewards from"):
        data.physics_at(torch.arange(3))
    shutil.rmtree(second / "flat")


@given(st.lists(st.integers(1, 20), min_size=1, max_size=6), st.integers(0, 2**31))
def test_moments_of_parts_are_those_of_the_whole(sizes: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    parts = [rng.normal(5.0, 3.0, size=(size, 2)) for size in sizes]
    merged = Moments.none(2)
    for part in parts:
        merged = merged.merged(Moments.of(part))
    whole = np.concatenate(parts)
    np.testing.assert_allclose(merged.mean, whole.mean(0))
    if len(whole) > 1:
        np.testing.assert_allclose(merged.std, whole.std(0, ddof=1))
