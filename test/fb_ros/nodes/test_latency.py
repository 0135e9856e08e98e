"""Percentiles of a window of durations."""

from __future__ import annotations

import pytest

from fb_ros.nodes.latency import LatencyWindow


def test_figures_are_in_milliseconds_and_of_the_last_durations() -> None:
    window = LatencyWindow(size=3)
    for seconds in (9.0, 0.001, 0.002, 0.003):
        window.add(seconds)
    figures = window.figures()
    assert figures["p50_ms"] == pytest.approx(2.0)
    assert figures["max_ms"] == pytest.approx(3.0)


def test_there_are_no_figures_of_nothing() -> None:
    assert LatencyWindow().figures() == {}
