"""From a robot's standard messages to its state."""

from __future__ import annotations

import numpy as np
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState

from fb_ros.nodes.messages import stamp_of
from fb_ros.robot_state import RobotState
from fb_ros.sensor_match import SensorMatch


def add_joint_states(match: SensorMatch, message: JointState) -> RobotState | None:
    """Takes in joint states; the state of their instant, if it is complete."""
    position, velocity = np.asarray(message.position), np.asarray(message.velocity)
    return match.add_joints(stamp_of(message), message.name, position, velocity)


def add_tcp_pose(match: SensorMatch, message: PoseStamped) -> RobotState | None:
    """Takes in a tool's pose; the state of its instant, if it is complete."""
    position, orientation = message.pose.position, message.pose.orientation
    return match.add_pose(
        stamp_of(message),
        np.array([position.x, position.y, position.z]),
        np.array([orientation.w, orientation.x, orientation.y, orientation.z]),
    )
