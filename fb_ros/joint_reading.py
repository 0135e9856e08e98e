"""What is measured of the joints that a robot's commands move."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.field import layout_slices
from fb_ros.limits import limits_of
from fb_ros.robot_spec import RobotSpec
from fb_ros.robot_state import RobotState


@dataclasses.dataclass(frozen=True, kw_only=True)
class JointReading:
    """Position and velocity of the commanded joints, `(act_dim,)` each; NaN where unknown."""

    position: np.ndarray
    """rad (m for sliding joints)."""
    velocity: np.ndarray
    """rad/s (m/s)."""


def reading_of_state(robot: RobotSpec, state: RobotState) -> JointReading:
    """The reading that `joint_states` gives; refuses a state that lacks a commanded joint."""
    indices = state.joint_indices(robot.action_joints)
    return JointReading(
        position=state.joint_position[indices], velocity=state.joint_velocity[indices]
    )


def reading_of_observation(robot: RobotSpec, observation: np.ndarray) -> JointReading:
    """What the observation `(obs_dim,)` says of the joints.

    Sines and cosines give an angle up to whole turns. It is told for joints whose limits leave
    one possibility.
    """
    limits = limits_of(robot)
    low, high = limits.position_low, limits.position_high
    position, velocity = np.full((2, robot.act_dim), np.nan)
    slices = layout_slices(robot.observation)
    index = {joint: i for i, joint in enumerate(robot.action_joints)}
    for field in robot.observation:
        values = observation[slices[field.name]]
        if not field.joints or field.encoding not in ("identity", "sin_cos"):
            continue
        turn = field.encoding == "sin_cos"
        if turn:
            values = np.arctan2(*np.split(values, 2))
        for joint, value in zip(field.joints, values, strict=True):
            i = index.get(joint)
            if i is None:
                continue
            if field.source == "joint_velocity":
                velocity[i] = value
            elif not turn:
                position[i] = value
            elif high[i] - low[i] < 2.0 * np.pi:
                # The turn whose middle is that of the joint's range.
                middle = 0.5 * (low[i] + high[i])
                position[i] = middle + (value - middle + np.pi) % (2.0 * np.pi) - np.pi
    return JointReading(position=position, velocity=velocity)
