"""Joint states and tool poses belong together when their stamps are the same."""

from __future__ import annotations

import numpy as np
import pytest

from fb_ros.errors import FbRosError
from fb_ros.sensor_match import SensorMatch

POSE = (np.array([0.1, 0.2, 0.3]), np.array([1.0, 0.0, 0.0, 0.0]))


def test_a_state_is_complete_in_either_order() -> None:
    for joints_first in (True, False):
        match = SensorMatch()
        adds = [
            lambda match=match: match.add_joints(7, ["a"], np.ones(1), np.zeros(1)),
            lambda match=match: match.add_pose(7, *POSE),
        ]
        first, second = adds if joints_first else reversed(adds)
        assert first() is None
        state = second()
        assert state is not None
        assert state.joint_names == ("a",)
        np.testing.assert_array_equal(state.tcp_position, POSE[0])


def test_other_stamps_are_not_joined() -> None:
    match = SensorMatch()
    match.add_pose(6, *POSE)
    assert match.add_joints(7, ["a"], np.ones(1), np.zeros(1)) is None


def test_ragged_joint_states_are_refused() -> None:
    with pytest.raises(FbRosError, match="1 names, 2 positions and 1 velocities"):
        SensorMatch().add_joints(7, ["a"], np.ones(2), np.zeros(1))
