"""The newest sensor messages of a robot, for display.

They control nothing: messages of different topics need not be of one instant, and a slow reader
loses some. So the subscriptions do not request lost messages again, and delay no robot.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Imu, JointState

from fb_ros.errors import FbRosError
from fb_ros.nodes.rename_joints import declare_joint_renaming
from fb_ros.robot.field import assemble, topics_of
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState
from sim.web.poses import Base

_NEWEST = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_KINDS: dict[str, type] = {
    "joint_states": JointState,
    "tcp_pose": PoseStamped,
    "odom": Odometry,
    "imu": Imu,
}
# The wall clock counts here: a person refers to what they see.
_FRESH_SECONDS = 1.0


class LiveState:
    """The newest message of each topic that the robot's features need."""

    def __init__(self, node: Node, robot: RobotSpec, came: Callable[[], None]) -> None:
        """`came` is called after each state of the joints."""
        self._came = came
        self._fields = fields = robot.features
        self._renaming = declare_joint_renaming(node, robot)
        self._newest: dict[str, tuple[Any, float]] = {}
        self._counts: dict[str, int] = {}
        for topic in topics_of(fields):
            node.create_subscription(
                _KINDS[topic], topic, lambda m, topic=topic: self._keep(topic, m), _NEWEST
            )

    def _keep(self, topic: str, message: Any) -> None:
        self._newest[topic] = message, time.monotonic()
        self._counts[topic] = self._counts.get(topic, 0) + 1
        if topic == "joint_states":
            self._came()

    @property
    def count(self) -> int:
        """Number of states seen so far."""
        return self._counts.get("joint_states", 0)

    def silent(self) -> list[str]:
        """Topics that have been silent lately."""
        now = time.monotonic()
        return [
            topic
            for topic in topics_of(self._fields)
            if now - self._newest.get(topic, (None, -np.inf))[1] > _FRESH_SECONDS
        ]

    def joints(self) -> dict[str, float]:
        """Finite joint positions by name, rad or m."""
        if "joint_states" not in self._newest:
            return {}
        message = self._newest["joint_states"][0]
        names = self._renaming.to_robot(message.name)
        pairs = zip(names, message.position, strict=False)
        return {name: value for name, value in pairs if np.isfinite(value)}

    def base(self) -> Base | None:
        """Pose of a mobile robot's body; None before the first `odom`, or if the robot is not
        mobile."""
        if "odom" not in self._newest:
            return None
        pose = self._newest["odom"][0].pose.pose
        position, orientation = _vector(pose.position), _quaternion(pose.orientation)
        norm = float(np.linalg.norm(orientation))
        if not np.all(np.isfinite(position)) or not 0.5 < norm < 2.0:
            return None
        return Base(position=position, orientation=orientation / norm)

    def features(self) -> np.ndarray | None:
        """The present task features `(feature_dim,)`; None while they are unknown."""
        if self.silent():
            return None
        state: dict[str, Any] = {}
        joints = self._newest["joint_states"][0]
        velocity = joints.velocity or np.full(len(joints.name), np.nan)
        if not len(joints.name) == len(joints.position) == len(velocity):
            return None
        if "tcp_pose" in self._newest:
            pose = self._newest["tcp_pose"][0].pose
            state["tcp_position"] = _vector(pose.position)
            state["tcp_orientation"] = _quaternion(pose.orientation)
        if "odom" in self._newest:
            odom = self._newest["odom"][0]
            state["base_position"] = _vector(odom.pose.pose.position)
            state["base_orientation"] = _quaternion(odom.pose.pose.orientation)
            state["base_velocity"] = _vector(odom.twist.twist.linear)
        if "imu" in self._newest:
            imu = self._newest["imu"][0]
            state["base_angular_velocity"] = _vector(imu.angular_velocity)
            state["base_acceleration"] = _vector(imu.linear_acceleration)
        try:
            return assemble(
                self._fields,
                RobotState(
                    joint_names=self._renaming.to_robot(joints.name),
                    joint_position=np.asarray(joints.position),
                    joint_velocity=np.asarray(velocity),
                    **state,
                ),
            )
        except FbRosError:
            return None


def _vector(message: Any) -> np.ndarray:
    return np.array([message.x, message.y, message.z])


def _quaternion(message: Any) -> np.ndarray:
    return np.array([message.w, message.x, message.y, message.z])
