"""The robot's newest state, from its standard topics."""

from __future__ import annotations

import time

from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState

from fb_ros.errors import FbRosError
from fb_ros.nodes.qos import STREAM
from fb_ros.nodes.sensor_messages import add_joint_states, add_tcp_pose
from fb_ros.robot_state import RobotState
from fb_ros.sensor_match import SensorMatch

# By the wall clock: a person means what they see.
_FRESH_SECONDS = 1.0


class StateWatch:
    """Subscribes to `joint_states` and `tcp_pose` and keeps what they say of one instant."""

    def __init__(self, node: Node) -> None:
        self._match = SensorMatch()
        self._state: RobotState | None = None
        self._since = 0.0
        self._wrong = ""
        node.create_subscription(JointState, "joint_states", self._on_joints, STREAM)
        node.create_subscription(PoseStamped, "tcp_pose", self._on_pose, STREAM)

    def state(self) -> RobotState:
        """The state that the robot is in now; refused where it is not known."""
        if self._state is None or time.monotonic() - self._since > _FRESH_SECONDS:
            reason = self._wrong or "nothing new on joint_states and tcp_pose"
            raise FbRosError(f"the robot's state is not known: {reason}; is it up?")
        return self._state

    def _on_joints(self, message: JointState) -> None:
        try:
            state = add_joint_states(self._match, message)
        except FbRosError as error:
            self._wrong = str(error)
            return
        self._keep(state)

    def _on_pose(self, message: PoseStamped) -> None:
        self._keep(add_tcp_pose(self._match, message))

    def _keep(self, state: RobotState | None) -> None:
        if state is not None:
            self._state, self._since, self._wrong = state, time.monotonic(), ""
