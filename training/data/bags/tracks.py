"""Samples of a bag's topics with their times: arrays, in the recorder's order."""

from __future__ import annotations

import array
import dataclasses

import numpy as np

from training.data.bags.numbers import Numbers

# Training computes in float32.
_LARGEST = float(np.finfo(np.float32).max)
# Largest deviation of an orientation's norm from 1, as in policy_node.
_TOLERATED_NORM = 0.01


@dataclasses.dataclass(frozen=True, kw_only=True)
class Track:
    """Samples of the same numbers, such as the positions of one set of joints."""

    source: str
    """Source of the numbers, such as `joint_position`."""
    topic: str
    names: tuple[str, ...]
    """Names of the `k` components, if they have any."""
    order: np.ndarray
    """Place of each sample's message in the bag, increasing, `(n,)`, int64."""
    received: np.ndarray
    """Time at which the recorder received each message, nanoseconds, `(n,)`, int64."""
    stamped: np.ndarray
    """Header stamp, nanoseconds, 0 if there is none, `(n,)`, int64."""
    values: np.ndarray
    """The samples, `(n, k)`, float64."""

    def __len__(self) -> int:
        return len(self.order)

    @property
    def has_stamps(self) -> bool:
        """Whether most samples have a header stamp."""
        return 2 * int(np.count_nonzero(self.stamped)) > len(self)

    def take(self, index: np.ndarray | slice) -> Track:
        """The track with only the samples `index`."""
        arrays = ("order", "received", "stamped", "values")
        return dataclasses.replace(self, **{name: getattr(self, name)[index] for name in arrays})


class TrackBuilder:
    """Collects samples one by one, with eight bytes per number."""

    def __init__(self, source: str, topic: str, names: tuple[str, ...], width: int) -> None:
        self.source, self.topic, self.names, self.width = source, topic, names, width
        self._columns: dict[tuple[str, ...], list[int]] = {}
        # Message number, time of receiving and stamp, in turn.
        self._when = array.array("q")
        self._values = array.array("d")

    def add(
        self, order: int, received: int, stamped: int, names: tuple[str, ...], values: Numbers
    ) -> None:
        """Adds a sample, whose names may come in any order."""
        self._when.extend((order, received, stamped))
        if isinstance(values, tuple):
            self._values.extend(values)
            return
        if names != self.names:
            columns = self._columns.get(names)
            if columns is None:
                columns = self._columns[names] = [names.index(name) for name in self.names]
            values = values[columns]
        self._values.frombytes(values.tobytes())

    def cancel_after(self, received: int) -> None:
        """Removes samples that would hold only after `received`, since a newer plan replaced
        them."""
        while self._when and self._when[-2] > received:
            del self._when[-3:]
            del self._values[-self.width :]

    def build(self) -> Track:
        """All samples so far."""
        when = np.array(self._when, np.int64).reshape(-1, 3)
        return Track(
            source=self.source,
            topic=self.topic,
            names=self.names,
            order=when[:, 0].copy(),
            received=when[:, 1].copy(),
            stamped=when[:, 2].copy(),
            values=np.array(self._values, np.float64).reshape(len(when), self.width),
        )


def what_is_wrong(track: Track, field: str) -> list[tuple[str, np.ndarray]]:
    """For each reason why a sample cannot be a measurement, the samples, `(n,)` of bool."""
    values = track.values
    unusable = ~np.all(np.abs(values) <= _LARGEST, axis=1)
    found = [(f"{field} holds NaN, infinity or a number beyond float32", unusable)]
    if track.source.endswith("_orientation"):
        with np.errstate(over="ignore", invalid="ignore"):
            norm = np.linalg.norm(values[:, -4:], axis=1)
        wrong = ~(np.abs(norm - 1.0) < _TOLERATED_NORM) & ~unusable
        first = norm[wrong][0] if wrong.any() else 0.0
        found.append((f"{field} has norm {first:.3g}, expected a unit quaternion", wrong))
    return [(reason, wrong) for reason, wrong in found if wrong.any()]
