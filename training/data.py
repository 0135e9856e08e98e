"""Transitions of collected episodes, in memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from fb_ros.errors import FbRosError
from fb_ros.robot_spec import RobotSpec
from training.episode import load_episode


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch:
    """Transitions `(n, …)`: state, action, and what followed."""

    observation: torch.Tensor
    action: torch.Tensor
    next_observation: torch.Tensor
    next_features: torch.Tensor
    discount: torch.Tensor
    """0 where the episode ended in a terminal state and 1 elsewhere, `(n,)`."""


class Transitions:
    """All episodes of some folders, one row a state, and which rows start a transition."""

    def __init__(self, folders: Sequence[Path], spec: RobotSpec) -> None:
        paths: list[Path] = []
        for folder in folders:
            there = sorted(folder.glob("episode_*.npz"))
            if not there:
                raise FbRosError(f"{folder} holds no episodes; make some with `fb_ros collect`")
            paths += there
        episodes = [load_episode(path) for path in paths]
        expected = (spec.obs_dim, spec.act_dim, spec.feature_dim)
        for path, episode in zip(paths, episodes, strict=True):
            found = tuple(
                array.shape[1] for array in (episode.observation, episode.action, episode.features)
            )
            if found != expected:
                raise FbRosError(
                    f"{path}: observation, action and features have {found} components, "
                    f"robot {spec.name} has {expected}"
                )
        self.observation = _stack([episode.observation for episode in episodes])
        self.action = _stack([episode.action for episode in episodes])
        self.features = _stack([episode.features for episode in episodes])
        self.discount = _stack([episode.discount for episode in episodes])[:, 0]
        lengths = np.array([len(episode.observation) for episode in episodes])
        last = np.cumsum(lengths) - 1
        self.starts = torch.from_numpy(np.setdiff1d(np.arange(lengths.sum()), last))

    def __len__(self) -> int:
        return len(self.starts)

    def sample(self, count: int, generator: torch.Generator) -> Batch:
        """`count` transitions, uniformly and with replacement."""
        rows = self.starts[torch.randint(len(self.starts), (count,), generator=generator)]
        return Batch(
            observation=self.observation[rows],
            action=self.action[rows + 1],
            next_observation=self.observation[rows + 1],
            next_features=self.features[rows + 1],
            discount=self.discount[rows + 1],
        )

    def sample_features(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Task features of states that followed some action, `(count, feature_dim)`."""
        rows = self.starts[torch.randint(len(self.starts), (count,), generator=generator)]
        return self.features[rows + 1]


class EvenStates:
    """The states within a box of a feature, drawn as if they filled it evenly.

    The box is cut into cells; a cell is drawn first, then one of its states. Cells with next to
    no states are left out: they hold what the robot can hardly get to.
    """

    _FEWEST = 20

    def __init__(
        self, data: Transitions, columns: slice, low: torch.Tensor, high: torch.Tensor, cell: float
    ) -> None:
        """`low` and `high` bound the components `columns` of the features; all in one unit."""
        points = data.features[data.starts + 1, columns]
        inside = ((points >= low) & (points <= high)).all(-1)
        counts = ((high - low) / cell).ceil().long()
        index = ((points[inside] - low) / cell).long().clamp(min=0)
        index = torch.minimum(index, counts - 1)
        strides = torch.cat([counts[1:].flip(0).cumprod(0).flip(0), torch.ones(1).long()])
        cells, order = (index * strides).sum(-1).sort(stable=True)
        sizes = cells.unique_consecutive(return_counts=True)[1]
        first = sizes.cumsum(0) - sizes
        enough = sizes >= self._FEWEST
        if not enough.any():
            raise FbRosError(
                f"the data hold no cell of {cell:g} with {self._FEWEST} states between "
                f"{low.tolist()} and {high.tolist()}; collect more, or set box_share to 0"
            )
        self._rows = (data.starts[inside] + 1)[order]
        self._first, self._sizes = first[enough], sizes[enough]

    def sample(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Rows of the data's states, `(count,)`."""
        cells = torch.randint(len(self._sizes), (count,), generator=generator)
        share = torch.rand(count, generator=generator, dtype=torch.float64)
        within = (share * self._sizes[cells]).long()
        return self._rows[self._first[cells] + within]


def _stack(arrays: list[np.ndarray]) -> torch.Tensor:
    stacked = torch.from_numpy(np.concatenate(arrays))
    if not torch.isfinite(stacked).all():
        raise FbRosError("the data hold NaN or infinity; collect them anew")
    return stacked
