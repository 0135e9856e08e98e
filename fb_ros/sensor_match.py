"""Bringing together what a robot's topics say of one instant."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot_state import RobotState


class SensorMatch:
    """Joins joint states and tool poses by their stamps; keeps the newest of each."""

    def __init__(self) -> None:
        self._joints: tuple[int, RobotState] | None = None
        self._pose: tuple[int, np.ndarray, np.ndarray] | None = None

    def add_joints(
        self, stamp: int, names: Sequence[str], position: np.ndarray, velocity: np.ndarray
    ) -> RobotState | None:
        """Takes in joint states (rad, rad/s) of `stamp` (ns); the state, if it is complete."""
        if not len(names) == len(position) == len(velocity):
            raise FbRosError(
                f"joint_states has {len(names)} names, {len(position)} positions and "
                f"{len(velocity)} velocities, expected as many of each"
            )
        state = RobotState(
            joint_names=tuple(names), joint_position=position, joint_velocity=velocity
        )
        self._joints = (stamp, state)
        return self._joined()

    def add_pose(
        self, stamp: int, position: np.ndarray, orientation: np.ndarray
    ) -> RobotState | None:
        """Takes in a pose (m; w, x, y, z) of `stamp` (ns); the state, if it is complete."""
        self._pose = (stamp, position, orientation)
        return self._joined()

    def _joined(self) -> RobotState | None:
        if self._joints is None or self._pose is None or self._joints[0] != self._pose[0]:
            return None
        return dataclasses.replace(
            self._joints[1], tcp_position=self._pose[1], tcp_orientation=self._pose[2]
        )
