"""Limits on the commands of a robot's joints, as arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fb_ros.robot.robot_spec import RobotSpec


@dataclasses.dataclass(frozen=True, kw_only=True)
class Limits:
    """Limits of the commanded joints, each `(act_dim,)`; infinite where a joint has none."""

    command_low: np.ndarray
    """Smallest command, in the unit of the action interface."""
    command_high: np.ndarray
    """Largest command."""
    position_low: np.ndarray
    """rad (m for sliding joints)."""
    position_high: np.ndarray
    """rad (m)."""
    velocity: np.ndarray
    """Largest speed, rad/s (m/s)."""
    acceleration: np.ndarray
    """Largest magnitude of the acceleration, rad/s^2 (m/s^2)."""


def limits_of(robot: RobotSpec) -> Limits:
    """The limits that the robot's description states."""

    def array(values: Sequence[float | None], otherwise: float) -> np.ndarray:
        given = values or (None,) * robot.act_dim
        return np.array([otherwise if value is None else value for value in given])

    return Limits(
        command_low=np.asarray(robot.action_low),
        command_high=np.asarray(robot.action_high),
        position_low=array(robot.joint_low, -np.inf),
        position_high=array(robot.joint_high, np.inf),
        velocity=array(robot.velocity_limit, np.inf),
        acceleration=array(robot.acceleration_limit, np.inf),
    )
