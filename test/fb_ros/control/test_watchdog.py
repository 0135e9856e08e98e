"""A call that takes too long is noticed while it goes on, once."""

from __future__ import annotations

import threading
from typing import Any

from fb_ros.control.watchdog import Watchdog

PATIENCE = 30.0


def test_a_call_that_does_not_end_is_reported_once() -> None:
    reports: list[tuple[Any, float]] = []
    came = threading.Semaphore(0)

    def on_late(token: Any, seconds: float) -> None:
        reports.append((token, seconds))
        came.release()

    watchdog = Watchdog(0.002, on_late)
    watchdog.begin("first")
    assert came.acquire(timeout=PATIENCE)
    # The next one is reported, too; the first, which hung all the time, was reported once.
    watchdog.begin("second")
    assert came.acquire(timeout=PATIENCE)
    watchdog.close()
    assert reports == [("first", 0.002), ("second", 0.002)]


def test_a_call_that_ends_is_not_reported() -> None:
    reports: list[Any] = []
    watchdog = Watchdog(1000.0, lambda token, seconds: reports.append(token))
    for token in range(1000):
        watchdog.begin(token)
        watchdog.end()
    # Closing does not wait for the time-out.
    watchdog.close()
    assert reports == []
