"""Bundles: what ships is whole, and what is not whole is refused in one line."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fb_ros.backends.graphs import GRAPHS, POLICY, PRECISIONS
from fb_ros.bundle.bundle import load_bundle
from fb_ros.bundle.description import write_description
from fb_ros.bundle.files import DESCRIPTION, FILES
from fb_ros.bundle.policy import Policy
from fb_ros.errors import FbRosError
from fb_ros.paths import find_bundle

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.fixture
def copied(tmp_path: Path, shipped_bundle: Path) -> Path:
    """A shipped bundle to damage."""
    return Path(shutil.copytree(shipped_bundle, tmp_path / "bundle"))


@pytest.fixture(scope="module")
def linked(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Links to the files of a shipped bundle, without its description."""
    folder = tmp_path_factory.mktemp("linked")
    for file in FILES:
        (folder / file).symlink_to(root / "models" / "point_mass" / file)
    return folder


def refusal(path: Path) -> str:
    with pytest.raises(FbRosError) as error:
        load_bundle(path)
    text = str(error.value)
    assert "\n" not in text
    return text


def described(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((path / DESCRIPTION).read_text())
    return found


def rewrite(path: Path, **changes: object) -> None:
    """As damage does: the id stays what it was."""
    (path / DESCRIPTION).write_text(json.dumps(described(path) | changes, indent=1) + "\n")


def describe_anew(path: Path, **changes: object) -> None:
    """As somebody does who knows how the id is made."""
    write_description(path, described(path) | changes)


def test_a_shipped_bundle_says_where_it_came_from(shipped_bundle: Path) -> None:
    bundle = load_bundle(shipped_bundle)
    assert len(bundle.model_id) == 64
    assert len(bundle.blocks) >= 2
    for name in ("agent", "seed", "data", "minutes", "learning_curve", "commit"):
        assert name in bundle.provenance, name
    assert bundle.evaluation["episodes"] >= 100


def test_a_shipped_bundle_loads_all_its_parts(shipped_bundle: Path) -> None:
    bundle = load_bundle(shipped_bundle)
    assert len(bundle.reference_features) == len(bundle.reference_observations)
    for graph in GRAPHS:
        for precision in PRECISIONS:
            bundle.load_graph(graph, precision=precision)


def test_commands_stay_within_the_limits(shipped_bundle: Path) -> None:
    bundle = load_bundle(shipped_bundle)
    policy, rng = Policy(bundle), np.random.default_rng(0)
    for _ in range(100):
        command = policy.command(
            rng.normal(scale=3.0, size=bundle.robot.obs_dim),
            rng.normal(size=bundle.z_dim).astype(np.float32),
        )
        assert np.all(command >= bundle.robot.action_low)
        assert np.all(command <= bundle.robot.action_high)


def test_a_missing_bundle_is_refused(tmp_path: Path) -> None:
    assert "no such folder" in refusal(tmp_path / "nothing")
    assert DESCRIPTION in refusal(tmp_path)


@pytest.mark.parametrize("file", FILES)
def test_a_truncated_file_is_refused(copied: Path, file: str) -> None:
    content = (copied / file).read_bytes()
    (copied / file).write_bytes(content[: len(content) // 2])
    assert file in refusal(copied)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_refused(copied: Path, file: str) -> None:
    (copied / file).unlink()
    assert file in refusal(copied)


def test_one_flipped_bit_is_refused(copied: Path) -> None:
    content = bytearray((copied / POLICY).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / POLICY).write_bytes(content)
    assert "SHA-256" in refusal(copied)


@pytest.mark.parametrize("version", [2, 99, True, None, "3", [3]])
def test_another_format_version_says_how_to_export_anew(copied: Path, version: object) -> None:
    rewrite(copied, format_version=version)
    assert "export the model again from its run with `fb_ros export" in refusal(copied)


def test_describing_a_bundle_again_changes_nothing(copied: Path) -> None:
    before = (copied / DESCRIPTION).read_bytes()
    describe_anew(copied)
    assert (copied / DESCRIPTION).read_bytes() == before


def test_every_entry_is_part_of_the_models_identity(copied: Path) -> None:
    ids = {load_bundle(copied).model_id}
    robot = described(copied)["robot"]
    wider = [10.0 * high for high in robot["action_high"]]
    changes: dict[str, Any]
    for changes in (
        {"robot": robot | {"action_high": wider}},
        {"robot": robot | {"ctrl_dt": 2.0 * robot["ctrl_dt"]}},
        {"gamma": 0.5},
        {"provenance": {}},
    ):
        describe_anew(copied, **changes)
        ids.add(load_bundle(copied).model_id)
    assert len(ids) == 5


@pytest.mark.parametrize("model_id", ["0" * 64, "", None, "é" * 64, ["0"] * 64, '"' * 64])
def test_another_models_id_is_refused(copied: Path, model_id: object) -> None:
    rewrite(copied, model_id=model_id)
    assert "model id" in refusal(copied)


def test_no_flipped_bit_of_the_description_loads(root: Path, tmp_path: Path) -> None:
    original = root / "models" / "jaco"
    content = (original / DESCRIPTION).read_bytes()
    for file in FILES:
        (tmp_path / file).symlink_to(original / file)
    rng = np.random.default_rng(0)
    for at, bit in zip(rng.integers(0, len(content), 1500), rng.integers(0, 8, 1500), strict=True):
        flipped = bytearray(content)
        flipped[at] ^= 1 << bit
        (tmp_path / DESCRIPTION).write_bytes(flipped)
        refusal(tmp_path)


def test_a_truncated_description_is_refused(copied: Path) -> None:
    text = (copied / DESCRIPTION).read_text()
    (copied / DESCRIPTION).write_text(text[: len(text) // 2])
    assert DESCRIPTION in refusal(copied)


def test_a_description_that_promises_too_much_is_refused(copied: Path) -> None:
    with (copied / DESCRIPTION).open("ab") as file:
        file.truncate(1 << 40)
    assert "at most" in refusal(copied)


def test_a_file_that_promises_too_much_is_refused(copied: Path) -> None:
    with (copied / POLICY).open("ab") as file:
        file.truncate(1 << 40)
    assert "at most" in refusal(copied)


@pytest.mark.parametrize("entry", ["robot", "gamma", "blocks", "provenance"])
def test_a_description_that_lacks_an_entry_is_refused(copied: Path, entry: str) -> None:
    found = described(copied)
    del found[entry]
    write_description(copied, found)
    assert repr(entry) in refusal(copied)


@given(
    value=JSON,
    entry=st.sampled_from(
        (
            *("robot", "gamma", "blocks", "algorithm", "encoder_features", "block_features"),
            "reference",
        )
    ),
)
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_the_description_is_refused_in_one_line(
    root: Path, linked: Path, value: object, entry: str
) -> None:
    """With an id that fits, so that the entry itself has to be looked at."""
    write_description(linked, described(root / "models" / "point_mass") | {entry: value})
    with contextlib.suppress(FbRosError):
        bundle = load_bundle(linked)
        assert getattr(bundle, entry) == value


def test_graphs_that_do_not_fit_the_description_are_refused(copied: Path) -> None:
    describe_anew(copied, blocks=[7] * len(load_bundle(copied).blocks))
    with pytest.raises(FbRosError, match="description says"):
        load_bundle(copied).load_graph(POLICY)


def test_shipped_models_are_found_by_name(shipped_bundle: Path) -> None:
    assert load_bundle(find_bundle(Path(shipped_bundle.name))).path.name == shipped_bundle.name


def test_an_unknown_name_lists_what_ships() -> None:
    with pytest.raises(FbRosError, match=r"the models that ship are: .*jaco"):
        find_bundle(Path("yaco"))


def test_an_unknown_backend_lists_the_possible(shipped_bundle: Path) -> None:
    with pytest.raises(FbRosError, match="possible: auto, onnxruntime, tensorrt, tensorrt_rtx"):
        Policy(load_bundle(shipped_bundle), "abacus")
