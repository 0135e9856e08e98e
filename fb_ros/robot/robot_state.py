"""A robot's state at one instant (or at many, stacked), as its standard messages give it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from fb_ros.errors import FbRosError


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobotState:
    """Measured state; every array may have further leading dimensions."""

    joint_names: tuple[str, ...]
    """Names that index the last dimension of the joint arrays."""
    joint_position: np.ndarray
    """rad (m for sliding joints), shape `(..., joints)`."""
    joint_velocity: np.ndarray
    """rad/s (m/s for sliding joints), shape `(..., joints)`."""
    tcp_position: np.ndarray | None = None
    """m, world frame, shape `(..., 3)`."""
    tcp_orientation: np.ndarray | None = None
    """Unit quaternion (w, x, y, z), world frame, shape `(..., 4)`."""
    base_position: np.ndarray | None = None
    """Position of a mobile robot's body, m, world frame, shape `(..., 3)`."""
    base_orientation: np.ndarray | None = None
    """Unit quaternion (w, x, y, z) of the body, world frame, shape `(..., 4)`."""
    base_velocity: np.ndarray | None = None
    """Velocity of the body, m/s, in the body's frame, shape `(..., 3)`."""
    base_angular_velocity: np.ndarray | None = None
    """Angular velocity of the body, rad/s, in the body's frame, shape `(..., 3)`."""
    base_acceleration: np.ndarray | None = None
    """The accelerometer's reading, m/s^2, in the body's frame, shape `(..., 3)`."""
    last_command: np.ndarray | None = None
    """The command before, physical units, in the order of the robot's `action_joints`, shape
    `(..., act_dim)`. No topic carries it; the sender of the commands knows it."""

    def joint_indices(self, names: Sequence[str]) -> list[int]:
        """Where `names` lie in the joint arrays; refuses a name that is not there."""
        missing = [name for name in names if name not in self.joint_names]
        if missing:
            raise FbRosError(
                f"joint_states lacks {', '.join(missing)}; it has {', '.join(self.joint_names)}"
            )
        return [self.joint_names.index(name) for name in names]
