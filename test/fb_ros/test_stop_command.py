"""Standing still, in each action interface."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fb_ros.robot_spec import ActionInterface
from fb_ros.robot_state import RobotState
from fb_ros.stop_command import stop_command
from test.fb_ros.test_robot_spec import SPEC


@pytest.mark.parametrize("interface", ["velocity", "effort"])
def test_velocity_and_effort_stop_with_zeros(interface: ActionInterface) -> None:
    robot = dataclasses.replace(SPEC, action_interface=interface)
    np.testing.assert_array_equal(stop_command(robot, None), [0.0])


def test_position_control_holds_what_was_measured() -> None:
    robot = dataclasses.replace(SPEC, action_interface="position")
    state = RobotState(
        joint_names=("other", "rail"),
        joint_position=np.array([9.0, 0.7]),
        joint_velocity=np.zeros(2),
    )
    np.testing.assert_array_equal(stop_command(robot, state), [0.7])


def test_position_control_without_a_measurement_sends_nothing() -> None:
    assert stop_command(dataclasses.replace(SPEC, action_interface="position"), None) is None
