"""The state of a simulated robot, as the standard messages of a real one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import Point, PoseStamped, Quaternion, Vector3
from nav_msgs.msg import Odometry
from sensor_msgs.msg import Imu, JointState

from fb_ros.robot.robot_state import RobotState
from sim.robots.link_tree import BASE_LINK


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
    message.pose.position = _vector(Point, position)
    message.pose.orientation = _quaternion(orientation)
    return message


def tcp_pose_of(stamp: Any, frame: str, state: RobotState) -> PoseStamped:
    """The pose of an arm's tool."""
    position, orientation = state.tcp_position, state.tcp_orientation
    assert position is not None
    assert orientation is not None
    return tcp_pose_message(stamp, frame, position, orientation)


def odometry_of(stamp: Any, frame: str, state: RobotState) -> Odometry:
    """The pose of a mobile robot, and its velocity in its own frame, as in REP 105."""
    message = Odometry(child_frame_id=BASE_LINK)
    message.header.stamp, message.header.frame_id = stamp, frame
    message.pose.pose.position = _vector(Point, state.base_position)
    message.pose.pose.orientation = _quaternion(state.base_orientation)
    message.twist.twist.linear = _vector(Vector3, state.base_velocity)
    message.twist.twist.angular = _vector(Vector3, state.base_angular_velocity)
    return message


def imu_of(stamp: Any, state: RobotState) -> Imu:
    """Orientation and angular velocity of the same body; no acceleration."""
    message = Imu()
    message.header.stamp, message.header.frame_id = stamp, BASE_LINK
    message.orientation = _quaternion(state.base_orientation)
    message.angular_velocity = _vector(Vector3, state.base_angular_velocity)
    # sensor_msgs/Imu marks a missing acceleration this way.
    message.linear_acceleration_covariance[0] = -1.0
    return message


def _vector(kind: Any, values: np.ndarray | None) -> Any:
    assert values is not None
    x, y, z = values.tolist()
    return kind(x=x, y=y, z=z)


def _quaternion(values: np.ndarray | None) -> Quaternion:
    assert values is not None
    w, x, y, z = values.tolist()
    return Quaternion(w=w, x=x, y=y, z=z)
