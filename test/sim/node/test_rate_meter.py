"""Rates by a clock that the test turns."""

from __future__ import annotations

import pytest

from sim.node.rate_meter import RateMeter


def test_the_rate_is_that_of_the_events_since_the_last_call() -> None:
    meter = RateMeter()
    assert meter.rate(10.0) is None
    for _ in range(50):
        meter.count()
    assert meter.rate(12.0) == pytest.approx(25.0)
    assert meter.rate(13.0) == pytest.approx(0.0)


def test_there_is_no_rate_in_no_time() -> None:
    meter = RateMeter()
    meter.rate(1.0)
    assert meter.rate(1.0) is None
