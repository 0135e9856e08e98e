"""Where the episodes of an HDF5 file end, and what contradicts itself in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from fb_ros.errors import FbRosError
from training.commands.convert_data import ConvertConfig, convert
from training.data.episode import load_episode

ROWS = 60


def observed(rows: np.ndarray, shift: float = 0.0) -> np.ndarray:
    """Positions and velocities of a point mass that goes in a circle."""
    x, y = 0.2 * np.sin(0.1 * rows + shift), 0.2 * np.cos(0.1 * rows + shift)
    return np.stack([x, y, np.full_like(x, 0.01), y, -x], axis=1)


def arrays(follows: bool = True) -> dict[str, np.ndarray]:
    """Two episodes of 30 steps, of which only the observations tell."""
    rows = np.arange(30.0)
    found = {
        "observations": np.concatenate([observed(rows), observed(rows, 2.0)]),
        "actions": np.zeros((ROWS, 2)),
        "rewards": np.zeros(ROWS),
        "terminals": np.zeros(ROWS, bool),
    }
    if follows:
        after = rows + 1.0
        found["next_observations"] = np.concatenate([observed(after), observed(after, 2.0)])
    return found


def converted(tmp_path: Path, data: dict[str, np.ndarray], **options: Any) -> list[int]:
    file = tmp_path / "data.hdf5"
    with h5py.File(file, "w") as opened:
        for name, value in data.items():
            opened[name] = value
    out = tmp_path / "out"
    convert(ConvertConfig(sources=(file,), out=out, robot="point_mass", **options))
    return [load_episode(path).steps for path in sorted(out.glob("*.npz"))]


def at(*rows: int) -> np.ndarray:
    flags = np.zeros(ROWS, bool)
    flags[list(rows)] = True
    return flags


@pytest.mark.parametrize("flags", [{}, {"timeouts": at(59)}, {"timeouts": at(29, 59)}])
def test_next_observations_tell_of_a_reset_that_no_flag_marks(
    tmp_path: Path, flags: dict[str, np.ndarray]
) -> None:
    assert converted(tmp_path, {**arrays(), **flags}) == [30, 30]


def test_the_number_of_the_episode_is_read(tmp_path: Path) -> None:
    ids = np.repeat([3, 7], 30)
    assert converted(tmp_path, {**arrays(follows=False), "episode_ids": ids}) == [29, 29]


def test_a_given_length_stands_for_lacking_timeouts(tmp_path: Path) -> None:
    data = arrays(follows=False)
    with pytest.raises(FbRosError, match=r"neither timeouts .* --episode-steps"):
        converted(tmp_path, data)
    assert converted(tmp_path, data, episode_steps=30) == [29, 29]


def test_a_timeout_whose_next_state_is_another_episodes_loses_that_step(tmp_path: Path) -> None:
    data = arrays(follows=False)
    rolled = np.roll(data["observations"], -1, axis=0)
    flags = {"timeouts": at(29, 59), "next_observations": rolled}
    assert converted(tmp_path, {**data, **flags}) == [29, 30]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"terminals": at(12)}, "row 12: terminals ends an episode, and next_observations"),
        (
            {"terminals": at(12), "episode_ids": np.repeat([0, 1], 30)},
            "row 12: terminals ends an episode, and its id goes on",
        ),
        ({"terminals": 0.5 * at(7)}, r"terminals holds 0\.5 in row 7, expected true or false"),
        ({"timeouts": np.full(ROWS, np.nan)}, "timeouts holds nan in row 0, expected true"),
        ({"timeouts": 2 * at(4).astype(int)}, "timeouts holds 2 in row 4"),
    ],
)
def test_contradictions_are_named_by_row(
    tmp_path: Path, changes: dict[str, np.ndarray], expected: str
) -> None:
    with pytest.raises(FbRosError, match=expected):
        converted(tmp_path, {**arrays(), **changes})


def test_a_truncation_within_a_minari_episode_is_refused(tmp_path: Path) -> None:
    flags = np.zeros(30, bool)
    group = {
        "observations": observed(np.arange(31.0)),
        "actions": np.zeros((30, 2)),
        "terminations": flags,
        "truncations": np.arange(30) == 9,
    }
    data = {f"episode_0/{name}": value for name, value in group.items()}
    with pytest.raises(FbRosError, match="episode_0: step 9 is truncated, and the episode goes"):
        converted(tmp_path, data)
    data["episode_0/truncations"] = np.arange(30) == 29
    assert converted(tmp_path, data) == [30]


@pytest.mark.parametrize("name", ["actions", "timeouts"])
def test_a_damaged_name_is_no_lacking_array(tmp_path: Path, name: str) -> None:
    data = {**arrays(), "timeouts": at(29, 59)}
    # HDF5 stores names as they are; one flipped bit makes them anything.
    damaged = name.encode().replace(b"t", b"\xa9", 1)
    with h5py.File(tmp_path / "data.hdf5", "w") as opened:
        for key, value in data.items():
            opened[damaged if key == name else key] = value
    with pytest.raises(FbRosError, match=r"is not a whole HDF5 file: its name .* is no text"):
        convert(ConvertConfig(sources=(tmp_path / "data.hdf5",), out=tmp_path / "out"))
