"""From a robot's standard messages to its state."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, Quaternion
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import Imu, JointState

from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import stamp_of
from fb_ros.nodes.qos import STREAM, overridable
from fb_ros.robot_state import RobotState
from fb_ros.sensor_match import SensorMatch

_KINDS: dict[str, type] = {
    "joint_states": JointState,
    "tcp_pose": PoseStamped,
    "odom": Odometry,
    "imu": Imu,
}


def subscribe_to_sensors(
    node: Node,
    topics: Sequence[str],
    tolerance: float,
    on_state: Callable[[RobotState, int], None],
    on_refusal: Callable[[str], None],
) -> list[Subscription]:
    """Calls `on_state` with what `topics` say of one instant, and its stamp in ns.

    Stamps agree where they differ by at most `tolerance` seconds. `on_refusal` hears what is wrong
    with a message.
    """
    match = SensorMatch(topics, tolerance)

    def listen(topic: str) -> Subscription:
        def on_message(message: Any) -> None:
            try:
                found = _take(match, topic, message)
            except FbRosError as error:
                on_refusal(str(error))
                return
            if found is not None:
                on_state(*found)

        return node.create_subscription(
            _KINDS[topic], topic, callback=on_message, **overridable(STREAM)
        )

    return [listen(topic) for topic in topics]


def _take(match: SensorMatch, topic: str, message: Any) -> tuple[RobotState, int] | None:
    stamp = stamp_of(message)
    if topic == "joint_states":
        position, velocity = np.asarray(message.position), np.asarray(message.velocity)
        return match.add_joints(stamp, message.name, position, velocity)
    part: dict[str, np.ndarray] = {}
    if topic == "tcp_pose":
        part["tcp_position"] = _vector(message.pose.position)
        part["tcp_orientation"] = _quaternion(message.pose.orientation)
    elif topic == "odom":
        part["base_position"] = _vector(message.pose.pose.position)
        part["base_orientation"] = _quaternion(message.pose.pose.orientation)
        part["base_velocity"] = _vector(message.twist.twist.linear)
    else:
        part["base_angular_velocity"] = _vector(message.angular_velocity)
        part["base_acceleration"] = _vector(message.linear_acceleration)
    return match.add(topic, stamp, part)


def _vector(message: Any) -> np.ndarray:
    return np.array([message.x, message.y, message.z])


def _quaternion(message: Quaternion) -> np.ndarray:
    return np.array([message.w, message.x, message.y, message.z])
