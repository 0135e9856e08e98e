"""When a goal point counts as reached."""

from __future__ import annotations

HOLD_SECONDS = 1.0
"""How long a robot has to be there: one that passes through has not arrived."""


class Arrival:
    """Tells whether a robot has come to a point and stayed; on a clock that may go backwards."""

    def __init__(self, radius: float, asked_at: float, hold: float = HOLD_SECONDS) -> None:
        """`radius` (m) is how close is there; times are seconds of the robot's clock."""
        self._radius, self._asked_at, self._hold = radius, asked_at, hold
        self._there_since: float | None = None

    def is_reached(self, distance: float, now: float) -> bool:
        """Takes note of a distance (m); whether it has been small enough for long enough."""
        if not distance < self._radius:
            self._there_since = None
            return False
        if self._there_since is None or now < self._there_since:
            self._there_since = now
        return now - self._there_since >= self._hold

    def seconds(self, now: float) -> float:
        """Since it was asked for; 0 after the clock went back."""
        return max(0.0, now - self._asked_at)
