"""One episode on disk, in ExORL's layout: an npz of arrays that are one longer than the steps."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np

from fb_ros.errors import FbRosError
from training.data.npz_file import read_npz

_NAME = re.compile(r"episode_(\d+)_(\d+)\.npz")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Episode:
    """`T` transitions; row `t` of `action`, `reward` and `discount` led to row `t` of the rest."""

    observation: np.ndarray
    """`(T + 1, obs_dim)`."""
    action: np.ndarray
    """`(T + 1, act_dim)` in `[-1, 1]`; row 0 is zero."""
    reward: np.ndarray
    """`(T + 1, 1)`; zero without a task, since rewards are computed afterwards."""
    discount: np.ndarray
    """`(T + 1, 1)`, 0 where the episode ended in a terminal state and 1 elsewhere, also at the end
    of an episode that ran out of time."""
    physics: np.ndarray
    """`(T + 1, nq + nv + na)`, from which any reward can be computed later; `(T + 1, 0)` for a
    robot that was not simulated."""
    features: np.ndarray
    """`(T + 1, feature_dim)`, the task features."""

    @property
    def steps(self) -> int:
        """Number of transitions."""
        return len(self.observation) - 1


def episode_paths(folder: Path) -> list[Path]:
    """The episodes of a folder, in order."""
    return sorted(folder.glob("episode_*.npz"))


def episode_path(folder: Path, index: int, steps: int) -> Path:
    """File of episode `index`, named as ExORL names it."""
    return folder / f"episode_{index:06d}_{steps}.npz"


def numbers_in_name(name: str) -> tuple[int, int] | None:
    """Index and steps in the name of an episode's file; None for other names."""
    found = _NAME.fullmatch(name)
    return (int(found[1]), int(found[2])) if found else None


def episode_index(path: Path) -> int:
    """The number in an episode's file name."""
    numbers = numbers_in_name(path.name)
    if numbers is None:
        raise FbRosError(f"{path} is not named as an episode; expected episode_NUMBER_STEPS.npz")
    return numbers[0]


def save_episode(folder: Path, index: int, episode: Episode) -> Path:
    """Writes an episode completely or not at all."""
    path = episode_path(folder, index, episode.steps)
    partial = path.with_suffix(".partial")
    try:
        with partial.open("wb") as file:
            np.savez(file, **dataclasses.asdict(episode))
        partial.rename(path)
    except OSError:
        partial.unlink(missing_ok=True)  # This frees the space if the disk is full.
        raise
    return path


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an npz; refuses by name a damaged one, or one with pickled arrays."""
    try:
        return read_npz(path)
    except FbRosError:
        raise
    except Exception as error:  # The libraries raise anything for a damaged file.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise FbRosError(f"{path} is not a whole episode ({reason}); delete it") from error


def load_episode(path: Path) -> Episode:
    """Reads an episode of ours; refuses a damaged or foreign one by name."""
    arrays = read_arrays(path)
    names = [field.name for field in dataclasses.fields(Episode)]
    missing = [name for name in names if name not in arrays]
    if missing:
        raise FbRosError(f"{path} is not a whole episode (it lacks {', '.join(missing)})")
    return Episode(**{name: arrays[name] for name in names})
