"""A thread that notices when a call takes too long, while the call still goes on."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

# Longest and shortest time between two checks, in seconds.
_LOOK, _SHORTEST = 0.05, 0.001


class Watchdog:
    """Calls `on_late` when `end` does not follow `begin` in time.

    The caller of a runtime that hangs cannot report this itself. The thread checks twice per
    time-out, so it notices after at most one and a half time-outs.
    """

    def __init__(
        self,
        timeout: float,
        on_late: Callable[[Any, float], None],
        period: float = _LOOK,
        on_waiting: Callable[[], None] = lambda: None,
    ) -> None:
        """`timeout` is in seconds of the wall clock; `on_late` gets `begin`'s token and `timeout`.

        After that `on_waiting` is called every `period` seconds while the call still goes on.
        """
        self.timeout, self._on_late = timeout, on_late
        self._period, self._on_waiting = period, on_waiting
        # The tuple is replaced as a whole, so neither side needs a lock.
        self._watched: tuple[Any, float] | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)
        self._thread.start()

    def begin(self, token: Any) -> None:
        """A call begins; `token` names it."""
        self._watched = (token, time.monotonic())

    def end(self) -> None:
        """The call has ended."""
        self._watched = None

    def close(self) -> None:
        """Ends the thread."""
        self._closed.set()
        self._thread.join()

    def _watch(self) -> None:
        # The wait is short, so a changed time-out takes effect soon.
        while not self._closed.wait(min(max(0.5 * self.timeout, _SHORTEST), _LOOK)):
            watched = self._watched
            if watched is not None and time.monotonic() - watched[1] > self.timeout:
                self._on_late(watched[0], self.timeout)
                # This runs once for each call.
                while self._watched is watched and not self._closed.wait(self._period):
                    if self._watched is watched:
                        self._on_waiting()
