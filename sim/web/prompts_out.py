"""The page's messages to the robot's nodes, on the same topics and services as any program's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from geometry_msgs.msg import PointStamped, TwistStamped
from rclpy.node import Node
from std_msgs.msg import Bool, Float32, String
from std_srvs.srv import SetBool, Trigger

from fb_ros.nodes.qos import EVENTS, PROMPT

OnAnswer = Callable[[bool, str], None]
"""Called with a service's success and its message."""


class PromptsOut:
    """Publishes a person's prompts and orders; methods may be called from any thread."""

    def __init__(self, node: Node, frame: str) -> None:
        self._frame = frame
        self._point = node.create_publisher(PointStamped, "prompt/goal_point", PROMPT)
        self._velocity = node.create_publisher(TwistStamped, "prompt/velocity", PROMPT)
        self._reward = node.create_publisher(String, "prompt/reward", PROMPT)
        self._skill = node.create_publisher(String, "prompt/skill", PROMPT)
        self._value = node.create_publisher(Float32, "prompt/reward_value", PROMPT)
        self._estop = node.create_publisher(Bool, "estop", EVENTS)
        self._policy = {
            name: node.create_client(Trigger, f"policy_node/{name}") for name in ("stop", "resume")
        }
        self._simulation: dict[str, Any] = {
            name: node.create_client(Trigger, f"sim_node/{name}") for name in ("step", "reset")
        }
        self._pause = node.create_client(SetBool, "sim_node/pause")

    def point(self, point: Sequence[float]) -> None:
        """Asks the robot to reach this point, m."""
        message = PointStamped()
        message.header.frame_id = self._frame
        message.point.x, message.point.y, message.point.z = (float(value) for value in point)
        self._point.publish(message)

    def velocity(self, linear: Sequence[float], angular: Sequence[float]) -> None:
        """Asks for this velocity, m/s and rad/s."""
        message = TwistStamped()
        twist = message.twist
        twist.linear.x, twist.linear.y, twist.linear.z = linear
        twist.angular.x, twist.angular.y, twist.angular.z = angular
        self._velocity.publish(message)

    def reward(self, formula: str) -> None:
        """Asks for this reward."""
        self._reward.publish(String(data=formula))

    def line(self, line: str) -> None:
        """Sends a prompt, or a command about skills, as a line of text."""
        self._skill.publish(String(data=line))

    def value(self, reward: float) -> None:
        """Sends a reward for the robot's present state."""
        self._value.publish(Float32(data=reward))

    def estop(self) -> None:
        """Makes the robot stand still until somebody calls `resume`."""
        self._estop.publish(Bool(data=True))

    def policy(self, name: str, on_answer: OnAnswer) -> None:
        """Calls policy_node's service `stop` or `resume`."""
        _call(self._policy[name], Trigger.Request(), on_answer)

    @property
    def simulated(self) -> bool:
        """Whether a simulation stands in for the robot."""
        return bool(self._pause.service_is_ready())

    def simulation(self, name: str, on_answer: OnAnswer) -> None:
        """Calls the simulation's service `step` or `reset`."""
        _call(self._simulation[name], Trigger.Request(), on_answer)

    def pause(self, paused: bool, on_answer: OnAnswer) -> None:
        """Pauses or resumes a simulation."""
        _call(self._pause, SetBool.Request(data=paused), on_answer)


def _call(client: Any, request: Any, on_answer: OnAnswer) -> None:
    if not client.service_is_ready():
        on_answer(False, f"nobody answers {client.srv_name}; is the node up?")
        return

    def done(future: Any) -> None:
        response = future.result()
        on_answer(bool(response.success), str(response.message))

    client.call_async(request).add_done_callback(done)
