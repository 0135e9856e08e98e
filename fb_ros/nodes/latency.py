"""A window of durations and its percentiles."""

from __future__ import annotations

from collections import deque

import numpy as np


class LatencyWindow:
    """The last `size` durations, in seconds."""

    def __init__(self, size: int = 1000) -> None:
        self._durations: deque[float] = deque(maxlen=size)

    def add(self, seconds: float) -> None:
        """Takes in one duration."""
        self._durations.append(seconds)

    def figures(self) -> dict[str, float]:
        """`p50_ms`, `p99_ms` and `max_ms`; empty before the first duration."""
        if not self._durations:
            return {}
        milliseconds = np.asarray(self._durations) * 1e3
        p50, p99, largest = np.percentile(milliseconds, [50, 99, 100])
        return {"p50_ms": float(p50), "p99_ms": float(p99), "max_ms": float(largest)}
