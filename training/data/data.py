"""Transitions of collected episodes, mapped from disk."""

from __future__ import annotations

import dataclasses
import mmap
import resource
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from training.compute.device import moved
from training.data.flat_data import FlatData, open_flat
from training.data.moments import Moments

# Number of rows per read when all rows are read.
_CHUNK = 100_000
# Bytes of mapped files that may stay resident, draws between two checks of them, and the number of
# parts in which a file is released: touching a page again costs more than keeping it.
_RESIDENT = 11 << 28
_DRAWS = 64
_PARTS = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Batch:
    """Transitions `(n, …)`: state, action, and next state."""

    observation: torch.Tensor
    action: torch.Tensor
    next_observation: torch.Tensor
    next_features: torch.Tensor
    discount: torch.Tensor
    """0 where the episode ended in a terminal state and 1 elsewhere, `(n,)`."""

    def to(self, device: torch.device) -> Batch:
        """The same on `device`."""
        return Batch(**{name: moved(value, device) for name, value in vars(self).items()})


class Transitions:
    """All episodes of some folders, one row per state; the count of transitions leaves out the
    rows that end an episode."""

    def __init__(self, folders: Sequence[Path], spec: RobotSpec) -> None:
        if not folders:
            raise FbRosError("there are no data to train on; name their folders")
        self._take_in([open_flat(folder, spec) for folder in folders], spec)

    @classmethod
    def of(cls, flat: FlatData, spec: RobotSpec) -> Transitions:
        """The transitions of one flat copy, wherever it is."""
        data = cls.__new__(cls)
        data._take_in([flat], spec)
        return data

    def _take_in(self, flat: list[FlatData], spec: RobotSpec) -> None:
        self.flat = flat
        self._obs = slice(0, spec.obs_dim)
        self._act = slice(spec.obs_dim, spec.obs_dim + spec.act_dim)
        self._feat = slice(self._act.stop, self._act.stop + spec.feature_dim)
        steps = np.concatenate([one.steps for one in flat])
        self._ends = np.cumsum(steps)
        self._first_rows = np.cumsum([0, *(len(one.rows) for one in flat)])
        self._draws = self._part = 0
        if sum(one.rows.nbytes for one in self.flat) <= _RESIDENT:
            for one in self.flat:
                _bring_in(one.rows)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def episode_ends(self) -> torch.Tensor:
        """For each episode, the number of transitions up to its end, `(episodes,)`."""
        return torch.from_numpy(self._ends)

    def rows_of(self, transitions: torch.Tensor) -> torch.Tensor:
        """The rows of the states in which transitions `(n,)` start; the next state is the next
        row."""
        numbers = transitions.numpy()
        # Each earlier episode has one row more than transitions.
        return torch.from_numpy(numbers + np.searchsorted(self._ends, numbers, side="right"))

    def draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Rows in which transitions start, `(count,)`, uniformly and with replacement."""
        return self.rows_of(torch.randint(len(self), (count,), generator=generator))

    def sample(self, count: int, generator: torch.Generator) -> Batch:
        """`count` transitions, uniformly and with replacement."""
        return self.batch_at(self.draw(count, generator))

    def batch_at(self, rows: torch.Tensor) -> Batch:
        """The transitions that start in `rows` `(n,)`."""
        here, after = self._take(rows), self._take(rows + 1)
        return Batch(
            observation=here[:, self._obs].contiguous(),
            action=after[:, self._act].contiguous(),
            next_observation=after[:, self._obs].contiguous(),
            next_features=after[:, self._feat].contiguous(),
            discount=after[:, -1].contiguous(),
        )

    def sample_features(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Task features of states that followed some action, `(count, feature_dim)`."""
        return self.features_at(self.draw(count, generator) + 1)

    def features_at(self, rows: torch.Tensor) -> torch.Tensor:
        """Task features of the states in `rows` `(n,)`, `(n, feature_dim)`."""
        return self._take(rows)[:, self._feat].contiguous()

    def observation_at(self, rows: torch.Tensor) -> torch.Tensor:
        """Observations of the states in `rows` `(n,)`, `(n, obs_dim)`."""
        return self._take(rows)[:, self._obs].contiguous()

    def physics_at(self, rows: torch.Tensor) -> np.ndarray:
        """Physics states `(n, nq + nv + na)` of the states in `rows` `(n,)`, float64."""
        return self._gather([self.physics_of(flat) for flat in self.flat], rows.numpy())

    def physics_of(self, flat: FlatData) -> np.ndarray:
        """All physics states of one folder; refuses a folder that has none."""
        if not flat.physics.shape[1]:
            raise FbRosError(
                f"{flat.folder.parent}: not all episodes hold physics to compute rewards from"
            )
        return flat.physics

    def moments(self, name: str) -> Moments:
        """Moments of `observation` or `features` over all rows, or of the observation's
        `change`."""
        merged = self.flat[0].moments[name]
        for flat in self.flat[1:]:
            merged = merged.merged(flat.moments[name])
        return merged

    def following_features(self, columns: slice) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """All rows that follow some action, with `columns` of their features, in parts."""
        for start in range(0, len(self), _CHUNK):
            numbers = torch.arange(start, min(start + _CHUNK, len(self)))
            rows = self.rows_of(numbers) + 1
            yield rows, self.features_at(rows)[:, columns]

    def _take(self, rows: torch.Tensor) -> torch.Tensor:
        self._stay_small()
        return torch.from_numpy(self._gather([flat.rows for flat in self.flat], rows.numpy()))

    def _gather(self, files: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
        if len(files) == 1:
            return np.asarray(files[0][rows])
        which = np.searchsorted(self._first_rows, rows, side="right") - 1
        found = np.empty((len(rows), files[0].shape[1]), files[0].dtype)
        for index, file in enumerate(files):
            mine = which == index
            found[mine] = file[rows[mine] - self._first_rows[index]]
        return found

    def _stay_small(self) -> None:
        """Releases mapped pages when there are many; they stay in the system's cache."""
        self._draws += 1
        if self._draws % _DRAWS:
            return
        if _mapped_bytes() > _RESIDENT:
            self._part = (self._part + 1) % _PARTS
            for flat in self.flat:
                _let_go(flat.rows, self._part)


class EvenStates:
    """The states within a box of a feature, drawn as if they filled it evenly.

    The box is cut into cells; a draw picks a cell first, then one of its states. Cells with almost
    no states are left out: the robot can hardly get there.
    """

    _FEWEST = 20

    def __init__(
        self, data: Transitions, columns: slice, low: torch.Tensor, high: torch.Tensor, cell: float
    ) -> None:
        """`low` and `high` bound the components `columns` of the features, all in one unit."""
        counts = ((high - low) / cell).ceil().long()
        strides = torch.cat([counts[1:].flip(0).cumprod(0).flip(0), torch.ones(1).long()])
        parts: list[torch.Tensor] = []
        found: list[torch.Tensor] = []
        for rows, points in data.following_features(columns):
            inside = ((points >= low) & (points <= high)).all(-1)
            index = ((points[inside] - low) / cell).long().clamp(min=0)
            index = torch.minimum(index, counts - 1)
            parts.append((index * strides).sum(-1).int())
            found.append(rows[inside])
        cells, order = torch.cat(parts).sort(stable=True)
        sizes = cells.unique_consecutive(return_counts=True)[1]
        first = sizes.cumsum(0) - sizes
        enough = sizes >= self._FEWEST
        if not enough.any():
            raise FbRosError(
                f"the data hold no cell of {cell:g} with {self._FEWEST} states between "
                f"{low.tolist()} and {high.tolist()}; collect more, or set box_share to 0"
            )
        self._rows = torch.cat(found)[order]
        self._first, self._sizes = first[enough], sizes[enough]

    def sample(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """Rows of the data's states, `(count,)`."""
        cells = torch.randint(len(self._sizes), (count,), generator=generator)
        share = torch.rand(count, generator=generator, dtype=torch.float64)
        within = (share * self._sizes[cells]).long()
        return self._rows[self._first[cells] + within]


def _mapped_bytes() -> int:
    """Bytes of mapped files that are resident; 0 if the system does not report it (not on
    Linux)."""
    try:
        with Path("/proc/self/statm").open(encoding="ascii") as file:
            return int(file.read().split()[2]) * resource.getpagesize()
    except (OSError, ValueError):
        return 0


def _bring_in(array: np.ndarray) -> None:
    """Reads a whole file in order, which is faster than page by page as drawn."""
    array.reshape(-1)[:: mmap.PAGESIZE // array.itemsize].sum()


def _let_go(array: np.ndarray, part: int) -> None:
    """Unmaps the pages of one of `_PARTS` parts of a mapped file."""
    mapping = getattr(array, "_mmap", None)
    if not isinstance(mapping, mmap.mmap):
        return
    page = mmap.PAGESIZE
    size = -(-len(mapping) // (_PARTS * page)) * page
    start = part * size
    if start < len(mapping):
        mapping.madvise(mmap.MADV_DONTNEED, start, min(size, len(mapping) - start))
