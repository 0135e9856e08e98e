"""Converts a robot's standard messages to its state."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped, Quaternion
from nav_msgs.msg import Odometry
from rclpy.clock import Clock
from rclpy.clock_type import ClockType
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from sensor_msgs.msg import Imu, JointState

from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import stamp_of
from fb_ros.nodes.qos import STREAM, overridable
from fb_ros.nodes.rename_joints import declare_joint_renaming
from fb_ros.robot.field import Field, topics_of
from fb_ros.robot.joint_renaming import JointRenaming
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


PATIENCE = 2.0
"""Seconds without a message from the robot before a warning."""


class Wait:
    """Asks for the reason once a second, by the wall clock, until `end` is called often enough."""

    def __init__(self, node: Node, reason: Callable[[], str], tell: Callable[[str], None]) -> None:
        """`tell` gets the text of `reason` after `PATIENCE` seconds, and "" while all is well."""
        self._since = time.monotonic()
        self._reason, self._tell = reason, tell
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.timer: Timer = node.create_timer(1.0, self._look, clock=wall)

    def end(self) -> None:
        """Records that the awaited message has come."""
        self._since = time.monotonic()

    def _look(self) -> None:
        waited = time.monotonic() - self._since
        self._tell(self._reason() if waited > PATIENCE else "")


def subscribe_to_sensors(
    node: Node,
    robot: RobotSpec,
    fields: Sequence[Field],
    on_state: Callable[[RobotState, int], None],
    on_refusal: Callable[[str], None],
    on_wait: Callable[[str], None] = lambda reason: None,
) -> list[Subscription | Timer]:
    """Calls `on_state` with the state that the topics of `fields` give, and its stamp in ns.

    The topics' stamps may differ by the robot's tolerance. The parameters `rename_joints` give the
    driver's names of joints; wrong ones are refused. `on_refusal` gets the fault of a bad
    message; `on_wait` gets, once a second, the obstacle of the last two seconds, or an empty text.
    """
    topics = topics_of(fields)
    joints = {joint for field in fields for joint in field.joints}
    renaming = declare_joint_renaming(node, robot)
    match = SensorMatch(topics, robot.sensor_tolerance, joints)
    waits = Wait(node, match.why_waiting, on_wait)

    def listen(topic: str) -> Subscription:
        def on_message(message: Any) -> None:
            try:
                found = _take(match, topic, message, robot.frame, renaming)
            except FbRosError as error:
                on_refusal(str(error))
                return
            if found is not None:
                waits.end()
                on_state(*found)

        return node.create_subscription(
            _KINDS[topic], topic, callback=on_message, **overridable(STREAM)
        )

    return [*(listen(topic) for topic in topics), waits.timer]


def _take(
    match: SensorMatch, topic: str, message: Any, frame: str, renaming: JointRenaming
) -> tuple[RobotState, int] | None:
    stamp = stamp_of(message)
    if topic == "joint_states":
        position, velocity = np.asarray(message.position), np.asarray(message.velocity)
        return match.add_joints(stamp, renaming.to_robot(message.name), position, velocity)
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
