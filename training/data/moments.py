"""Means and standard deviations of data that do not fit into memory."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Moments:
    """Count, mean and sum of squared deviations of rows `(n, k)`, mergeable."""

    count: int
    mean: np.ndarray
    """`(k,)`, float64."""
    squares: np.ndarray
    """Sum of squared deviations from the mean, `(k,)`, float64."""

    @classmethod
    def of(cls, rows: np.ndarray) -> Moments:
        """The moments of `rows` `(n, k)`."""
        rows = np.asarray(rows, dtype=np.float64)
        mean = rows.mean(axis=0)
        return cls(count=len(rows), mean=mean, squares=np.square(rows - mean).sum(axis=0))

    @classmethod
    def none(cls, size: int) -> Moments:
        """The moments of zero rows with `size` components."""
        return cls(count=0, mean=np.zeros(size), squares=np.zeros(size))

    def merged(self, other: Moments) -> Moments:
        """The moments of both sets of rows together (Chan, Golub and LeVeque, 1979)."""
        count = self.count + other.count
        if not count:
            return self
        apart = other.mean - self.mean
        return Moments(
            count=count,
            mean=self.mean + apart * (other.count / count),
            squares=self.squares
            + other.squares
            + np.square(apart) * (self.count * other.count / count),
        )

    @property
    def std(self) -> np.ndarray:
        """Sample standard deviation, `(k,)`; 0 for a single row."""
        return np.sqrt(self.squares / max(self.count - 1, 1))
