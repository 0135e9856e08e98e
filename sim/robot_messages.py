"""What a simulated robot says of itself, as the standard messages of a real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState


def joint_states_message(
    stamp: Any, names: Sequence[str], position: np.ndarray, velocity: np.ndarray
) -> JointState:
    """Joint positions (rad, m) and velocities (rad/s, m/s), `(joints,)` each."""
    message = JointState(name=list(names), position=position.tolist(), velocity=velocity.tolist())
    message.header.stamp = stamp
    return message


def tcp_pose_message(
    stamp: Any, frame: str, position: np.ndarray, orientation: np.ndarray
) -> PoseStamped:
    """A tool's position `(3,)`, m, and its unit quaternion `(4,)`, w, x, y, z."""
    message = PoseStamped()
    message.header.stamp, message.header.frame_id = stamp, frame
    point, turn = message.pose.position, message.pose.orientation
    point.x, point.y, point.z = position.tolist()
    turn.w, turn.x, turn.y, turn.z = orientation.tolist()
    return message
