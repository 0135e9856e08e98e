"""The last minute of a few figures, for a plot."""

from __future__ import annotations

from collections import deque

import numpy as np


class History:
    """Rows of figures by the time at which they were read."""

    def __init__(self, series: int, *, seconds: float = 60.0) -> None:
        """Keeps `series` figures per row, for `seconds`."""
        self._series, self._seconds = series, seconds
        self._rows: deque[tuple[float, ...]] = deque()

    def add(self, now: float, *values: float | None) -> None:
        """Adds a row read at `now` (s); None marks a missing figure."""
        if len(values) != self._series:
            raise ValueError(f"{len(values)} figures, expected {self._series}")
        self._rows.append((now, *(np.nan if value is None else float(value) for value in values)))
        while self._rows[0][0] < now - self._seconds:
            self._rows.popleft()

    def clear(self) -> None:
        """Forgets everything."""
        self._rows.clear()

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Seconds before the newest row, then each figure, `(rows,)` each; NaN marks a missing
        one."""
        if not self._rows:
            return (np.zeros(1), *(np.full(1, np.nan) for _ in range(self._series)))
        columns = np.array(self._rows).T
        return (columns[0] - columns[0, -1], *columns[1:])
