"""Standing still, in each action interface."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fb_ros.control.joint_reading import JointReading
from fb_ros.control.stop_command import stop_command
from fb_ros.robot.robot_spec import ActionInterface
from test.fb_ros.robot.test_robot_spec import SPEC


@pytest.mark.parametrize("interface", ["velocity", "effort"])
def test_velocity_and_effort_stop_with_zeros(interface: ActionInterface) -> None:
    robot = dataclasses.replace(SPEC, action_interface=interface)
    np.testing.assert_array_equal(stop_command(robot, None), [0.0])


def test_position_control_holds_what_was_measured() -> None:
    robot = dataclasses.replace(SPEC, action_interface="position")
    reading = JointReading(position=np.array([0.7]), velocity=np.zeros(1))
    np.testing.assert_array_equal(stop_command(robot, reading), [0.7])


def test_position_control_without_a_measurement_sends_nothing() -> None:
    robot = dataclasses.replace(SPEC, action_interface="position")
    assert stop_command(robot, None) is None
    unknown = JointReading(position=np.array([np.nan]), velocity=np.zeros(1))
    assert stop_command(robot, unknown) is None
