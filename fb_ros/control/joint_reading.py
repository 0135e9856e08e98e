"""Measured positions and velocities of the joints that a robot's commands move."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.control.limits import limits_of
from fb_ros.errors import FbRosError
from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState


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


def require_finite(reading: JointReading, robot: RobotSpec) -> None:
    """Refuses a reading that lacks a number: an unmeasured joint must not be moved."""
    wrong = ~np.isfinite(reading.position) | ~np.isfinite(reading.velocity)
    if np.any(wrong):
        names = [robot.action_joints[i] for i in np.flatnonzero(wrong)]
        raise FbRosError(f"joint_states is not finite for {', '.join(names)}")


class ObservationReader:
    """Reads the joints' positions and velocities out of an observation.

    Sines and cosines give an angle up to whole turns. The angle is read only for joints whose
    limits leave one possibility.
    """

    def __init__(self, robot: RobotSpec) -> None:
        limits = limits_of(robot)
        low, high = limits.position_low, limits.position_high
        slices = layout_slices(robot.observation)
        index = {joint: i for i, joint in enumerate(robot.action_joints)}
        # Pairs of an index into the observation and a joint; turns hold the indices of sine and
        # cosine.
        positions, velocities, turns = [], [], []
        for field in robot.observation:
            start = slices[field.name].start
            for place, joint in enumerate(field.joints):
                i = index.get(joint)
                if i is None or field.encoding not in ("identity", "sin_cos"):
                    continue
                if field.source == "joint_velocity":
                    velocities.append((start + place, i))
                elif field.encoding == "identity":
                    positions.append((start + place, i))
                elif high[i] - low[i] < 2.0 * np.pi:
                    turns.append((start + place, start + len(field.joints) + place, i))
        self._positions = np.array(positions, dtype=int).reshape(-1, 2).T
        self._velocities = np.array(velocities, dtype=int).reshape(-1, 2).T
        self._turns = np.array(turns, dtype=int).reshape(-1, 3).T
        joints = self._turns[2]
        # The turn is chosen so that its middle is the middle of the joint's range.
        self._lowest = 0.5 * (low[joints] + high[joints]) - np.pi
        self._unknown = np.full(robot.act_dim, np.nan)

    def read(self, observation: np.ndarray) -> JointReading:
        """The reading that `observation`, `(obs_dim,)`, gives."""
        position, velocity = self._unknown.copy(), self._unknown.copy()
        places, joints = self._positions
        position[joints] = observation[places]
        places, joints = self._velocities
        velocity[joints] = observation[places]
        sines, cosines, joints = self._turns
        angle = np.arctan2(observation[sines], observation[cosines])
        position[joints] = self._lowest + (angle - self._lowest) % (2.0 * np.pi)
        return JointReading(position=position, velocity=velocity)
