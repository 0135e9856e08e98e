"""The dense reward around a velocity, as weights of states."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fb_ros.robot.field import Field
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.task_inference.velocity_weights import (
    kept_state,
    mean_velocity,
    velocity_weights,
)
from test.fb_ros.robot.test_robot_spec import SPEC

VELOCITY = Field(name="vel", source="base_velocity", unit="m/s")
TURN = Field(name="turn", source="base_angular_velocity", unit="rad/s")
HEIGHT = Field(name="height", source="base_position", encoding="height", unit="m")
ROBOT: RobotSpec = dataclasses.replace(
    SPEC,
    features=(*SPEC.features, VELOCITY, TURN, HEIGHT),
    velocity_features=("vel", "turn"),
    velocity_widths=(0.1, 0.1, 0.3, 1.0, 1.0, 0.3),
    posture_features=("height",),
    posture=(0.3,),
    posture_widths=(0.05,),
)


def states(count: int = 20_000) -> np.ndarray:
    """Mostly slow: the faster, the rarer."""
    rng = np.random.default_rng(0)
    features = np.zeros((count, ROBOT.feature_dim))
    features[:, 3] = rng.exponential(0.3, count)
    features[:, 4] = rng.normal(0.0, 0.1, count)
    features[:, 8] = rng.normal(0.0, 0.5, count)
    features[:, 9] = rng.uniform(0.1, 0.4, count)
    return features


def asked(vx: float, wz: float) -> np.ndarray:
    return np.array([vx, 0.0, 0.0, 0.0, 0.0, wz])


def test_the_weighted_mean_velocity_is_what_was_asked() -> None:
    features = states()
    for vx, wz in ((0.0, 0.0), (0.5, 0.0), (1.0, 0.5), (0.2, -1.0)):
        weights = velocity_weights(ROBOT, features, asked(vx, wz))
        assert weights.max() == 1.0
        assert weights.min() >= 0.0
        mean = mean_velocity(ROBOT, features, weights)
        np.testing.assert_allclose(mean[[0, 1, 5]], [vx, 0.0, wz], atol=0.05)


def test_states_of_another_posture_hardly_count() -> None:
    features = states()
    weights = velocity_weights(ROBOT, features, asked(0.3, 0.0))
    low = features[:, 9] < 0.15
    assert weights[low].sum() < 0.02 * weights.sum()


def test_what_no_state_shows_is_not_made_up() -> None:
    features = states()
    weights = velocity_weights(ROBOT, features, asked(-2.0, 0.0))
    assert np.all(np.isfinite(weights))
    assert mean_velocity(ROBOT, features, weights)[0] > -0.5


COLUMNS = {"vel": np.arange(3, 6), "turn": np.arange(6, 9), "height": np.array([9])}


def test_the_state_of_a_velocity_has_what_was_asked_and_the_rest_from_the_data() -> None:
    features = states()
    # Whoever is faster leans further.
    features[:, 0] = 0.2 * features[:, 3]
    near = velocity_weights(ROBOT, features, asked(0.5, 0.0))
    state = kept_state(ROBOT, features, features, COLUMNS, asked(0.5, 0.0), near)
    np.testing.assert_array_equal(state[3:9], [0.5, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert state[0] == pytest.approx(0.1, abs=0.02)
    assert state[9] == pytest.approx(0.3, abs=0.02)


def test_standing_is_asked_for_as_the_stillest_state_in_about_the_posture() -> None:
    features = states()
    # The stillest of all lies; one that stands is nearly as still.
    features[3, 3:9], features[3, 9] = 0.0, 0.1
    features[7, 3:9], features[7, 9] = 0.001, 0.31
    near = velocity_weights(ROBOT, features, asked(0.0, 0.0))
    state = kept_state(ROBOT, features, features, COLUMNS, asked(0.0, 0.0), near)
    assert not state[3:9].any()
    np.testing.assert_array_equal(state[9:], features[7, 9:])
