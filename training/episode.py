"""One episode on disk, in ExORL's layout: an npz of arrays that are one longer than the steps."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Episode:
    """`T` transitions; row `t` of `action`, `reward` and `discount` led to row `t` of the rest."""

    observation: np.ndarray
    """`(T + 1, obs_dim)`."""
    action: np.ndarray
    """`(T + 1, act_dim)` in `[-1, 1]`; row 0 is zero."""
    reward: np.ndarray
    """`(T + 1, 1)`, zeros: rewards are computed afterwards."""
    discount: np.ndarray
    """`(T + 1, 1)`, 0 where the episode ended in a terminal state and 1 elsewhere."""
    physics: np.ndarray
    """`(T + 1, nq + nv)`, from which any reward can be computed later."""
    features: np.ndarray
    """`(T + 1, feature_dim)`, the task features."""

    @property
    def steps(self) -> int:
        """Number of transitions."""
        return len(self.observation) - 1


def episode_path(folder: Path, index: int, steps: int) -> Path:
    """File of episode `index`, named as ExORL names it."""
    return folder / f"episode_{index:06d}_{steps}.npz"


def save_episode(folder: Path, index: int, episode: Episode) -> Path:
    """Writes an episode whole or not at all."""
    path = episode_path(folder, index, episode.steps)
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, **dataclasses.asdict(episode))
    partial.rename(path)
    return path


def load_episode(path: Path) -> Episode:
    """Reads an episode; pickled arrays are refused by numpy."""
    with np.load(path, allow_pickle=False) as arrays:
        names = [field.name for field in dataclasses.fields(Episode)]
        return Episode(**{name: arrays[name] for name in names})
