"""What an observation tells of the joints is what was measured."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_ros.control.joint_reading import ObservationReader, reading_of_state
from fb_ros.control.limits import limits_of
from fb_ros.errors import FbRosError
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_state import RobotState
from sim.robots.jaco import SPEC

LIMITS = limits_of(SPEC)
NAMES = (*reversed(SPEC.action_joints), "lamp")


def state(shares: np.ndarray, velocity: np.ndarray) -> RobotState:
    """Joints at `shares` of their ranges, in another order than the commands', and one more."""
    low = np.where(np.isfinite(LIMITS.position_low), LIMITS.position_low, -10.0)
    high = np.where(np.isfinite(LIMITS.position_high), LIMITS.position_high, 10.0)
    return RobotState(
        joint_names=NAMES,
        joint_position=np.append((low + shares * (high - low))[::-1], 0.0),
        joint_velocity=np.append(velocity[::-1], 0.0),
        tcp_position=np.zeros(3),
        tcp_orientation=np.array([1.0, 0.0, 0.0, 0.0]),
    )


@given(
    shares=st.lists(st.floats(0.0, 1.0), min_size=9, max_size=9),
    velocity=st.lists(st.floats(-5.0, 5.0), min_size=9, max_size=9),
)
def test_an_observation_tells_what_the_joints_told(
    shares: list[float], velocity: list[float]
) -> None:
    measured = state(np.array(shares), np.array(velocity))
    told = reading_of_state(SPEC, measured)
    found = ObservationReader(SPEC).read(assemble(SPEC.observation, measured))
    known = np.isfinite(LIMITS.position_high)
    np.testing.assert_allclose(found.position[known], told.position[known], atol=1e-9)
    # Joints that turn for ever are known up to whole turns alone, and no joint needs them.
    assert np.all(np.isnan(found.position[~known]))
    # The observation holds the arm's velocities, and not the fingers'.
    np.testing.assert_array_equal(found.velocity[:6], told.velocity[:6])
    assert np.all(np.isnan(found.velocity[6:]))


def test_a_missing_joint_is_refused() -> None:
    measured = state(np.full(9, 0.5), np.zeros(9))
    lacking = RobotState(
        joint_names=NAMES[1:],
        joint_position=measured.joint_position[1:],
        joint_velocity=measured.joint_velocity[1:],
    )
    with pytest.raises(FbRosError, match="joint_states lacks finger_3"):
        reading_of_state(SPEC, lacking)
