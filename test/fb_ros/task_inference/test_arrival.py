"""A goal is reached by staying there, and not by passing through."""

from __future__ import annotations

from fb_ros.task_inference.arrival import Arrival


def test_it_is_reached_after_staying_for_long_enough() -> None:
    arrival = Arrival(0.05, 10.0, hold=1.0)
    assert not arrival.is_reached(0.2, 10.0)
    assert not arrival.is_reached(0.04, 11.0)
    assert not arrival.is_reached(0.04, 11.9)
    assert arrival.is_reached(0.04, 12.0)
    assert arrival.seconds(12.0) == 2.0


def test_passing_through_and_leaving_again_do_not_count() -> None:
    arrival = Arrival(0.05, 0.0, hold=1.0)
    assert not arrival.is_reached(0.01, 1.0)
    assert not arrival.is_reached(0.06, 1.5)
    assert not arrival.is_reached(0.01, 2.1)
    assert arrival.is_reached(0.01, 3.1)
    assert not arrival.is_reached(0.05, 3.2)


def test_a_clock_that_goes_back_begins_anew_and_a_missing_number_is_not_there() -> None:
    arrival = Arrival(0.05, 100.0, hold=1.0)
    assert not arrival.is_reached(0.01, 100.0)
    assert not arrival.is_reached(0.01, 3.0)
    assert arrival.seconds(3.0) == 0.0
    assert not arrival.is_reached(float("nan"), 3.5)
    assert not arrival.is_reached(0.01, 4.2)
