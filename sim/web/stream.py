"""A stream of dragged values, no faster than the robot's nodes need."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Stream(Generic[T]):
    """Passes on at most one value in `period` seconds, and never loses the last one.

    `tick` passes on a value that came too early, once. So the stream ends when no more values
    come, as when the browser is gone.
    """

    def __init__(self, send: Callable[[T], None], period: float) -> None:
        self._send, self._period = send, period
        self._waiting: list[T] = []
        self._last = float("-inf")
        # Values come from the browser's thread, ticks from the node's.
        self._lock = threading.Lock()

    def add(self, value: T, now: float, *, final: bool = False) -> None:
        """Adds a value at the time `now` (s); a `final` one is passed on at once."""
        with self._lock:
            self._waiting = [value]
            if final:
                self._last = float("-inf")
        self.tick(now)

    def tick(self, now: float) -> None:
        """Passes on the waiting value, if its time has come."""
        with self._lock:
            if not self._waiting or now - self._last < self._period:
                return
            (value,), self._waiting, self._last = self._waiting, [], now
            self._send(value)
