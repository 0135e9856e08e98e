"""A rehearsal does what a step does, and never stops doing it."""

from __future__ import annotations

import numpy as np
import pytest

from fb_ros.control.rehearsal import Rehearsal
from fb_ros.control.step import Order, Step
from test.fb_ros.control.test_controller import MODEL, ROBOT, Bench, Z


class _Policy:
    """Says what it is told to, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[np.ndarray, np.ndarray]] = []
        self.answer: float | Exception = 0.5

    def command(self, observation: np.ndarray, z: np.ndarray) -> np.ndarray:
        self.asked.append((observation, z))
        if isinstance(self.answer, Exception):
            raise self.answer
        return np.array([self.answer])


@pytest.fixture
def policy() -> _Policy:
    return _Policy()


@pytest.fixture
def rehearsal(policy: _Policy) -> Rehearsal:
    return Rehearsal(ROBOT, policy, model_id=MODEL, z_dim=len(Z))  # type: ignore[arg-type]


@pytest.fixture
def step() -> Step:
    bench = Bench()
    bench.controller.activate()
    bench.controller.take_z(Z, MODEL)
    return bench.due()


def test_it_goes_all_the_way_every_time(rehearsal: Rehearsal, policy: _Policy, step: Step) -> None:
    for count in range(1, 200):
        order = rehearsal.run(step)
        assert isinstance(order, Order)
        assert np.all(np.isfinite(order.command))
        assert len(policy.asked) == count
    for observation, z in policy.asked:
        np.testing.assert_array_equal(observation, step.observation.values)
        np.testing.assert_array_equal(z, step.z)


@pytest.mark.parametrize("answer", [np.nan, RuntimeError("the device is gone")])
def test_a_policy_that_fails_is_asked_again_the_next_time(
    rehearsal: Rehearsal, policy: _Policy, step: Step, answer: float | Exception
) -> None:
    policy.answer = answer
    for count in range(1, 20):
        order = rehearsal.run(step)
        assert order is None or np.all(np.isfinite(order.command))
        assert len(policy.asked) == count
    policy.answer = 0.5
    order = rehearsal.run(step)
    assert order is not None
    assert np.all(order.command >= 0.0)
