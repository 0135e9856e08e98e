"""Publishes `z` again and again, and moves it to the encoding of a new prompt."""

from __future__ import annotations

import numpy as np
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer
from std_msgs.msg import Float64MultiArray

from fb_ros.bundle.bundle import Bundle
from fb_ros.nodes.messages import to_array_message
from fb_ros.nodes.qos import LATCHED
from fb_ros.task_inference.ramp import Ramp

# policy_node stops the robot if no z comes for its z_timeout, 1 s by default.
_HEARTBEAT_SECONDS = 0.1


class ZPublisher:
    """Publishes a node's topic `z`."""

    def __init__(self, node: Node, bundle: Bundle, ramp_seconds: float) -> None:
        self._node, self._model_id = node, bundle.model_id
        self._ramp = Ramp(bundle.blocks, ramp_seconds)
        self._publisher = node.create_publisher(Float64MultiArray, "z", LATCHED)
        # Latched or not, a robot that moves by a z needs to know that its publisher still runs.
        self._last: Float64MultiArray | None = None
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        node.create_timer(_HEARTBEAT_SECONDS, self._repeat, clock=wall)
        self._moving: Timer = node.create_timer(bundle.robot.ctrl_dt, self._move)
        self._moving.cancel()

    def go_to(self, z: np.ndarray) -> None:
        """Starts towards `z` `(z_dim,)`, or jumps to it if the ramp takes no time."""
        self._publish(self._ramp.go_to(z, self._now()))
        if not self._ramp.arrived(self._now()):
            self._moving.reset()

    def set_ramp(self, seconds: float) -> None:
        """Sets how long `z` takes from now on to reach the encoding of a new prompt."""
        self._ramp.seconds = seconds

    def _move(self) -> None:
        now = self._now()
        self._publish(self._ramp.at(now))
        if self._ramp.arrived(now):
            self._moving.cancel()

    def _publish(self, z: np.ndarray) -> None:
        self._last = to_array_message(z, self._model_id)
        self._publisher.publish(self._last)

    def _repeat(self) -> None:
        if self._last is not None:
            self._publisher.publish(self._last)

    def _now(self) -> float:
        return float(self._node.get_clock().now().nanoseconds) * 1e-9
