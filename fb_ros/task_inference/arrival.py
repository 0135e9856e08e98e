"""Decides when a goal point counts as reached."""

from __future__ import annotations

HOLD_SECONDS = 1.0
"""How long a robot must stay at the point: one that passes through has not arrived."""


class Arrival:
    """Notices when a robot has come to a point and stayed; its clock may go backwards."""

    def __init__(self, radius: float, asked_at: float, hold: float = HOLD_SECONDS) -> None:
        """`radius` (m) is how close counts as there; times are seconds of the robot's clock."""
        self._radius, self._asked_at, self._hold = radius, asked_at, hold
        self._there_since: float | None = None

    def is_reached(self, distance: float, now: float) -> bool:
        """Records a distance (m); returns whether it has been small enough for long enough."""
        if not distance < self._radius:
            self._there_since = None
            return False
        if self._there_since is None or now < self._there_since:
            self._there_since = now
        return now - self._there_since >= self._hold

    def seconds(self, now: float) -> float:
        """Seconds since the point was asked for; 0 after the clock went back."""
        return max(0.0, now - self._asked_at)
