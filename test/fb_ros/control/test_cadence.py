"""Steps keep the period, follow the observations and never pile up."""

from __future__ import annotations

import numpy as np
import pytest

from fb_ros.control.cadence import Cadence

PERIOD = 0.04


def steps(times: np.ndarray) -> tuple[np.ndarray, int]:
    """When steps are made of observations at `times`, and how many were missed."""
    cadence, made, missed = Cadence(PERIOD), [], 0
    for time in times:
        if cadence.is_due(float(time)):
            missed += cadence.step(float(time))
            made.append(time)
    return np.array(made), missed


@pytest.mark.parametrize("drift", [-0.01, -0.001, 0.0, 0.001, 0.01])
def test_every_observation_of_a_sensor_at_the_same_rate_is_answered(drift: float) -> None:
    times = PERIOD * (1.0 + drift) * np.arange(5000)
    made, missed = steps(times)
    assert len(made) == len(times)
    assert missed == 0


def test_jitter_costs_no_step() -> None:
    rng = np.random.default_rng(0)
    times = PERIOD * np.arange(5000) + rng.uniform(-0.1, 0.1, 5000) * PERIOD
    made, missed = steps(times)
    assert len(made) == len(times)
    assert missed == 0


@pytest.mark.parametrize("hertz", [100, 250, 333, 1000])
def test_of_a_faster_sensor_one_observation_a_period_is_answered(hertz: int) -> None:
    made, missed = steps(np.arange(0.0, 60.0, 1.0 / hertz))
    assert missed == 0
    assert np.mean(np.diff(made)) == pytest.approx(PERIOD, rel=0.02)


def test_what_was_missed_is_counted_and_not_made_up_for() -> None:
    times = np.array([0.0, 0.04, 0.08, 0.28, 0.2801, 0.29, 0.32, 0.36])
    made, missed = steps(times)
    np.testing.assert_allclose(made, [0.0, 0.04, 0.08, 0.28, 0.32, 0.36])
    assert missed == 4


def test_after_a_restart_the_next_observation_begins_a_new_grid() -> None:
    cadence = Cadence(PERIOD)
    cadence.step(100.0)
    assert not cadence.is_due(3.0)
    cadence.restart()
    assert cadence.is_due(3.0)
    assert cadence.step(3.0) == 0
    assert not cadence.is_due(3.01)
    assert cadence.is_due(3.04)
