"""Statistics of an array's columns over many episodes."""

from __future__ import annotations

import dataclasses

import numpy as np

from training.data.moments import Moments


@dataclasses.dataclass(frozen=True)
class ColumnRange:
    """Extent, mean and spread of each column."""

    moments: Moments
    low: np.ndarray
    """`(k,)`."""
    high: np.ndarray
    """`(k,)`."""

    @classmethod
    def of(cls, rows: np.ndarray) -> ColumnRange:
        """The statistics of `rows`, `(n, k)`."""
        return cls(Moments.of(rows), rows.min(axis=0), rows.max(axis=0))

    def merged(self, other: ColumnRange) -> ColumnRange:
        """The statistics of the rows of both."""
        return ColumnRange(
            self.moments.merged(other.moments),
            np.minimum(self.low, other.low),
            np.maximum(self.high, other.high),
        )
