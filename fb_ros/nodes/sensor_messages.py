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
from fb_ros.robot.field import Field, topics_of
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState
from fb_ros.robot.sensor_match import SensorMatch

_TOLERATED_NORM = 0.01

_KINDS: dict[str, type] = {
    "joint_states": JointState,
    "tcp_pose": PoseStamped,
    "odom": Odometry,
    "imu": Imu,
}


def subscribe_to_sensors(
    node: Node,
    robot: RobotSpec,
    fields: Sequence[Field],
    on_state: Callable[[RobotState, int], None],
    on_refusal: Callable[[str], None],
) -> list[Subscription]:
    """Calls `on_state` with what the topics of `fields` say of one instant, and its stamp in ns.

    Stamps may differ by the robot's tolerance. `on_refusal` hears what is wrong with a message.
    """
    topics = topics_of(fields)
    match = SensorMatch(topics, robot.sensor_tolerance)

    def listen(topic: str) -> Subscription:
        def on_message(message: Any) -> None:
            try:
                found = _take(match, topic, message, robot.frame)
            except FbRosError as error:
                on_refusal(str(error))
                return
            if found is not None:
                on_state(*found)

        return node.create_subscription(
            _KINDS[topic], topic, callback=on_message, **overridable(STREAM)
        )

    return [listen(topic) for topic in topics]


def _take(
    match: SensorMatch, topic: str, message: Any, frame: str
) -> tuple[RobotState, int] | None:
    stamp = stamp_of(message)
    if topic == "joint_states":
        position, velocity = np.asarray(message.position), np.asarray(message.velocity)
        return match.add_joints(stamp, message.name, position, velocity)
    part: dict[str, np.ndarray] = {}
    if topic == "tcp_pose":
        if message.header.frame_id not in ("", frame):
            raise FbRosError(
                f"tcp_pose is in frame {message.header.frame_id!r}, expected {frame!r}"
            )
        part["tcp_position"] = _vector(message.pose.position)
        part["tcp_orientation"] = _quaternion(message.pose.orientation)
    elif topic == "odom":
        if message.child_frame_id and message.child_frame_id == message.header.frame_id:
            raise FbRosError(
                f"odom gives its velocity in frame {message.child_frame_id!r}, expected that of "
                "the robot's body"
            )
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
    quaternion = np.array([message.w, message.x, message.y, message.z])
    norm = float(np.linalg.norm(quaternion))
    if not abs(norm - 1.0) < _TOLERATED_NORM:
        raise FbRosError(f"an orientation has norm {norm:.3g}, expected a unit quaternion")
    return quaternion
