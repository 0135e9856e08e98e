"""Stop, resume and emergency stop, as a person gives them to the node that drives the robot."""

from __future__ import annotations

from collections.abc import Callable

from rclpy.node import Node
from rclpy.service import Service
from std_msgs.msg import Bool
from std_srvs.srv import Trigger

from fb_ros.control.control_loop import ControlLoop
from fb_ros.nodes.qos import EVENTS

EMERGENCY = "emergency stop"


class StopButton:
    """The topic `estop`, read in every state of the node, and the services `stop`, `resume`."""

    def __init__(self, node: Node, loop: Callable[[], ControlLoop | None]) -> None:
        """`loop` returns the node's control loop, or None while it has none."""
        self._node, self._loop = node, loop
        self.pressed = False
        """Whether there was an emergency stop that nobody has ended by `resume`."""
        node.create_subscription(Bool, "estop", self._on_estop, EVENTS)

    def offer_services(self) -> list[Service]:
        """Offers `stop` and `resume`, which make sense for a node that has a control loop."""
        return [
            self._node.create_service(Trigger, "~/stop", self._on_stop),
            self._node.create_service(Trigger, "~/resume", self._on_resume),
        ]

    def _on_estop(self, message: Bool) -> None:
        if message.data:
            self.pressed = True
            loop = self._loop()
            if loop is not None:
                loop.halt(EMERGENCY)

    def _on_stop(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        loop = self._loop()
        if loop is not None:
            loop.halt("stop was asked for")
        response.success, response.message = True, "standing still; call resume to go on"
        return response

    def _on_resume(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        loop = self._loop()
        missing = "the node is being cleaned up" if loop is None else loop.resume()
        self.pressed = self.pressed and bool(missing)
        response.success, response.message = not missing, missing or "moving again"
        return response
