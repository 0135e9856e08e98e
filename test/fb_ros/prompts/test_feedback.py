"""Rewards given while the robot moves count for as long as the window says."""

from __future__ import annotations

import numpy as np
import pytest

from fb_ros.errors import FbRosError
from fb_ros.prompts.feedback import FeedbackWindow


def test_rewards_accumulate_and_are_forgotten() -> None:
    window = FeedbackWindow(10.0)
    window.add(0.0, np.array([1.0, 2.0]), 1.0)
    samples = window.add(6.0, np.array([3.0, 4.0]), -1.0)
    np.testing.assert_array_equal(samples.features, [[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(samples.rewards, [1.0, -1.0])
    samples = window.add(12.0, np.array([5.0, 6.0]), 0.5)
    np.testing.assert_array_equal(samples.rewards, [-1.0, 0.5])


def test_a_clock_that_went_back_starts_anew() -> None:
    window = FeedbackWindow(10.0)
    window.add(5.0, np.zeros(2), 1.0)
    np.testing.assert_array_equal(window.add(1.0, np.ones(2), 2.0).rewards, [2.0])


def test_clearing_forgets_all() -> None:
    window = FeedbackWindow(10.0)
    window.add(0.0, np.zeros(2), 1.0)
    window.clear()
    assert len(window.add(1.0, np.ones(2), 2.0).rewards) == 1


def test_a_stream_of_rewards_does_not_fill_the_memory() -> None:
    window = FeedbackWindow(1e9)
    for number in range(3000):
        samples = window.add(float(number), np.zeros(2), float(number))
    assert len(samples.rewards) == 1000
    assert samples.rewards[-1] == 2999.0


@pytest.mark.parametrize("reward", [np.nan, np.inf])
def test_a_reward_that_is_not_finite_is_refused_and_not_kept(reward: float) -> None:
    window = FeedbackWindow(10.0)
    with pytest.raises(FbRosError, match="not finite"):
        window.add(0.0, np.zeros(2), reward)
    assert len(window.add(0.0, np.zeros(2), 1.0).rewards) == 1


def test_a_state_that_is_not_finite_is_refused_and_not_kept() -> None:
    window = FeedbackWindow(10.0)
    with pytest.raises(FbRosError, match="state is not finite"):
        window.add(0.0, np.array([0.0, np.nan]), 1.0)
    assert len(window.add(0.0, np.zeros(2), 1.0).rewards) == 1


@pytest.mark.parametrize("seconds", [0.0, -1.0, np.nan])
def test_a_window_needs_a_length(seconds: float) -> None:
    with pytest.raises(FbRosError, match="expected above 0"):
        FeedbackWindow(seconds)
