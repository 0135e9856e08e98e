"""Data in any recorded layout, one episode after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from fb_ros.errors import FbRosError
from fb_ros.plain_file import require_plain
from fb_ros.robot.robot_spec import RobotSpec
from training.data.bags.data import read_bag
from training.data.bags.files import is_bag
from training.data.bags.mapping import BagMapping
from training.data.complete_episode import EpisodeCompleter
from training.data.episode import Episode, episode_paths, numbers_in_name, read_arrays
from training.data.episode_problems import find_problems
from training.data.findings import Findings
from training.data.hdf5_data import SUFFIXES, hdf5_format, read_hdf5
from training.data.recording import Recording

Format = Literal["episodes", "d4rl", "minari", "rosbag2"]


# Path of the file in a Minari data set.
_MINARI = Path("data", "main_data.hdf5")


def format_of(path: Path) -> str:
    """The layout of `path`; refuses an unreadable one."""
    if not path.exists():
        raise FbRosError(f"there is no {path}")
    if (path / _MINARI).is_file():
        require_plain(path / _MINARI, path)
        return hdf5_format(path / _MINARI)
    if path.suffix in SUFFIXES and path.is_file():
        return hdf5_format(path)
    if is_bag(path):
        return "rosbag2"
    if path.is_dir() and episode_paths(path):
        return "episodes"
    raise FbRosError(
        f"{path} holds no episodes: expected a folder of episode_NUMBER_STEPS.npz (ExORL's and "
        "`fb_ros collect`'s), an HDF5 file (D4RL's or Minari's), or a bag (sqlite3 or MCAP)"
    )


def read_recordings(
    path: Path,
    spec: RobotSpec | None,
    mapping: BagMapping | None,
    found: Findings | None = None,
    episode_steps: int | None = None,
) -> Iterator[Recording]:
    """The episodes of `path`, unchecked; reading a bag needs `spec` and `mapping`.

    `found` gets findings about the whole source rather than an episode. `episode_steps` is the
    length of episodes in an HDF5 file that does not mark their ends.
    """
    found = Findings() if found is None else found
    layout = format_of(path)
    if layout == "episodes":
        yield from map(_read_file, episode_paths(path))
    elif layout == "rosbag2":
        if spec is None or mapping is None:
            raise FbRosError(
                f"{path} is a bag; say with --robot whose it is and with --mapping which topics "
                "hold what (docs/data.md)"
            )
        yield from read_bag(path, spec, mapping, found)
    else:
        file = path / _MINARI if path.is_dir() else path
        yield from read_hdf5(file, found, episode_steps)


def check(
    recording: Recording, spec: RobotSpec | None, completer: EpisodeCompleter | None
) -> tuple[Episode | None, list[str]]:
    """The recording as an episode of the robot (none without `completer`), and its problems."""
    if recording.problem:
        return None, [recording.problem]
    numbers = numbers_in_name(recording.name)
    problems = find_problems(recording.arrays, spec, steps=numbers[1] if numbers else None)
    if problems or completer is None:
        return None, problems
    try:
        episode = completer.complete(recording.arrays)
    except FbRosError as error:
        return None, [str(error)]
    return episode, []


def _read_file(path: Path) -> Recording:
    if numbers_in_name(path.name) is None:
        return Recording(name=path.name, problem="it is not named episode_NUMBER_STEPS.npz")
    try:
        return Recording(name=path.name, arrays=read_arrays(path))
    except FbRosError as error:
        problem = str(error).removeprefix(f"{path} ").removesuffix("; delete it")
        return Recording(name=path.name, problem=problem)
