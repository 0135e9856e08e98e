"""The memory-mapped copy of a folder of episodes that training reads.

ExORL's files are compressed and so cannot be mapped, and neither could ten thousand open files.
So the first reader of a folder writes its rows, one after the other, into a few flat files beside
the episodes (`flat/`). They are rewritten when an episode or the robot's description changes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from sim.progress import progress_bar
from training.data.complete_episode import EpisodeCompleter
from training.data.data_source import check, read_recordings
from training.data.episode import Episode, episode_paths
from training.data.flat_folder import (
    FLAT,
    INDEX,
    PHYSICS,
    ROWS,
    STEPS,
    alone,
    remove_copy,
    scratch_folder,
)
from training.data.moments import Moments
from training.data.record import read_record, write_record

# Version of the layout and of the checks made before writing.
_VERSION = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class FlatData:
    """All episodes of a folder, one row per state: views of files that are not read yet."""

    folder: Path
    """Folder of the flat files."""
    rows: np.ndarray
    """`(n, obs_dim + act_dim + feature_dim + 1)`, float32: observation, action, features and
    discount of a state side by side, so that a transition lies on one or two pages of the file."""
    physics: np.ndarray
    """`(n, nq + nv + na)`, float64."""
    steps: np.ndarray
    """Transitions of each episode, `(episodes,)`; an episode has one row more."""
    moments: dict[str, Moments]
    """Moments of `observation` and `features` over the rows, and of `change`, the observation's
    difference from one row to the next, over the transitions."""


def in_memory(
    observation: np.ndarray, action: np.ndarray, features: np.ndarray, discount: np.ndarray
) -> FlatData:
    """One episode that is in no file: arrays `(n, …)`, and `discount` `(n,)`."""
    parts = [observation, action, features, discount[:, None]]
    return FlatData(
        folder=Path(),
        rows=np.concatenate(parts, axis=1, dtype=np.float32),
        physics=np.zeros((len(observation), 0)),
        steps=np.array([len(observation) - 1]),
        moments={
            "observation": Moments.of(observation),
            "features": Moments.of(features),
            "change": Moments.of(np.diff(observation, axis=0)),
        },
    )


def open_flat(folder: Path, spec: RobotSpec) -> FlatData:
    """The flat copy of a folder; it is made first if it is missing or out of date."""
    paths = episode_paths(folder)
    if not paths:
        raise FbRosError(f"{folder} holds no episodes; make some with `fb_ros collect`")
    flat, key = folder / FLAT, _key(paths, spec)
    if not _is_of(flat, key):
        with alone(folder):
            # Another process may have made it while this one waited.
            if not _is_of(flat, key):
                _build(folder, paths, spec, key)
    try:
        return _open(flat, spec)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FbRosError(f"{flat / INDEX} is damaged ({error}); delete {flat}") from error


def _open(flat: Path, spec: RobotSpec) -> FlatData:
    index = read_record(flat / INDEX)
    width = spec.obs_dim + spec.act_dim + spec.feature_dim + 1
    return FlatData(
        folder=flat,
        rows=_map(flat / ROWS, np.float32, (index["rows"], width)),
        physics=_map(flat / PHYSICS, np.float64, (index["rows"], index["physics"])),
        steps=np.fromfile(flat / STEPS, dtype=np.int64),
        moments={
            name: Moments(
                count=entry["count"],
                mean=np.array(entry["mean"]),
                squares=np.array(entry["squares"]),
            )
            for name, entry in index["moments"].items()
        },
    )


def _is_of(flat: Path, key: str) -> bool:
    try:
        return (flat / INDEX).is_file() and read_record(flat / INDEX).get("key") == key
    except FbRosError:  # A damaged copy is made again.
        return False


def _key(paths: list[Path], spec: RobotSpec) -> str:
    stats = [
        (path.name, stat.st_size, stat.st_mtime_ns) for path in paths if (stat := path.stat())
    ]
    described = json.dumps([_VERSION, spec.to_json(), stats])
    return hashlib.sha256(described.encode()).hexdigest()


def _map(path: Path, dtype: type, shape: tuple[int, int]) -> np.ndarray:
    if not all(shape):  # An empty file cannot be mapped.
        return np.zeros(shape, dtype)
    expected = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if path.stat().st_size != expected:
        raise FbRosError(
            f"{path} has {path.stat().st_size} bytes, expected {expected}; delete {path.parent}"
        )
    return np.memmap(path, dtype=dtype, mode="r", shape=shape)


def _build(folder: Path, paths: list[Path], spec: RobotSpec, key: str) -> None:
    """Writes the flat copy completely or not at all."""
    completer = EpisodeCompleter(spec)
    bad: list[tuple[Path, str]] = []
    widths = {"observation": spec.obs_dim, "features": spec.feature_dim, "change": spec.obs_dim}
    moments = {name: Moments.none(width) for name, width in widths.items()}
    steps: list[int] = []
    physics_width: int | None = None
    with scratch_folder(folder) as scratch:
        rows_path, physics_path = scratch / ROWS, scratch / PHYSICS
        with rows_path.open("wb") as rows, physics_path.open("wb") as physics:
            progress = progress_bar(
                read_recordings(folder, spec, None),
                title=f"read {folder}",
                unit="episode",
                total=len(paths),
            )
            for recording in progress:
                episode, problems = check(recording, spec, completer)
                if episode is None:
                    bad.append((folder / recording.name, problems[0]))
                    continue
                if bad:
                    continue
                width = episode.physics.shape[1]
                if physics_width not in (None, width):
                    physics_width = 0  # Not all episodes have physics, so the copy leaves it out.
                elif physics_width is None:
                    physics_width = width
                _write(rows, physics, episode)
                steps.append(episode.steps)
                of = {
                    "observation": episode.observation,
                    "features": episode.features,
                    "change": np.diff(episode.observation, axis=0),
                }
                for name, array in of.items():
                    moments[name] = moments[name].merged(Moments.of(array))
        if bad:
            path, problem = bad[0]
            raise FbRosError(
                f"{path}: {problem}; {len(bad)} of the {len(paths)} episodes cannot be trained "
                f"on: `fb_ros data inspect {folder} --robot {spec.name}` lists them and, with "
                "--set-aside, moves them out of the way"
            )
        np.array(steps, dtype=np.int64).tofile(scratch / STEPS)
        if not physics_width:
            physics_path.write_bytes(b"")
        index: dict[str, Any] = {
            "key": key,
            "rows": sum(steps) + len(steps),
            "physics": physics_width or 0,
            "moments": {
                name: {
                    "count": entry.count,
                    "mean": entry.mean.tolist(),
                    "squares": entry.squares.tolist(),
                }
                for name, entry in moments.items()
            },
        }
        write_record(scratch / INDEX, index)
        remove_copy(folder / FLAT)
        scratch.rename(folder / FLAT)


def _write(rows: BinaryIO, physics: BinaryIO, episode: Episode) -> None:
    parts = [episode.observation, episode.action, episode.features, episode.discount]
    rows.write(np.concatenate(parts, axis=1, dtype=np.float32).tobytes())
    physics.write(episode.physics.astype(np.float64).tobytes())
