"""Rate of an event, by a clock that the caller reads."""

from __future__ import annotations


class RateMeter:
    """Counts events and gives their rate since the last call."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._events = 0

    def count(self) -> None:
        """Counts one event."""
        self._events += 1

    def rate(self, now: float) -> float | None:
        """Events per second since the last call; None at the first, or if time stood still."""
        since, events = self._since, self._events
        self._since, self._events = now, 0
        if since is None or now <= since:
            return None
        return events / (now - since)
