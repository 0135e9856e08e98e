"""`task_inference_node`: turns prompts into `z` and answers every one of them."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PointStamped
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from fb_ros.errors import FbRosError
from fb_ros.latency import LatencyWindow
from fb_ros.nodes.messages import ERROR, OK, WARN, to_array_message, to_diagnostics, to_status
from fb_ros.nodes.parameters import declare_bundle, declare_text
from fb_ros.nodes.qos import LATCHED, PROMPT
from fb_ros.nodes.run import run_node
from fb_ros.reward_inference import TaskEncoder
from fb_ros.z_digest import z_digest


class TaskInferenceNode(Node):
    """Publishes `z` for the newest prompt; a prompt that is refused leaves `z` as it was."""

    def __init__(self) -> None:
        super().__init__("task_inference_node")
        bundle = declare_bundle(self)
        backend = declare_text(self, "backend", "auto", "inference runtime")
        self._robot, self._model_id = bundle.robot, bundle.model_id
        self._encoder = TaskEncoder(bundle, backend)
        # The first inference sets the runtime's memory up; a person should not wait for it.
        self._encoder.encode_goal(self._encoder.example_goal())
        self._z = self.create_publisher(Float64MultiArray, "z", LATCHED)
        self._status = self.create_publisher(DiagnosticStatus, "prompt/status", LATCHED)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._latency = LatencyWindow()
        self._counts = {"prompts": 0, "refused_prompts": 0}
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._publish_diagnostics, clock=wall)
        self.create_subscription(PointStamped, "prompt/goal_point", self._on_goal_point, PROMPT)
        self.get_logger().info(f"model {self._model_id[:12]} for {self._robot.name}; ready")

    def _on_goal_point(self, message: PointStamped) -> None:
        started = time.perf_counter()
        self._counts["prompts"] += 1
        point = np.array([message.point.x, message.point.y, message.point.z])
        text = f"goal ({point[0]:.3g}, {point[1]:.3g}, {point[2]:.3g})"
        frame = message.header.frame_id
        asked = {"prompt": "goal_point", "goal": " ".join(str(value) for value in point)}
        try:
            if frame not in ("", self._robot.frame):
                raise FbRosError(
                    f"frame {frame!r} is unknown; publish points in {self._robot.frame!r}"
                )
            answer = self._encoder.encode_goal(point)
        except FbRosError as error:
            self._counts["refused_prompts"] += 1
            self._answer(ERROR, f"{text} refused: {error}", asked)
            return
        self._z.publish(to_array_message(answer.z, self._model_id))
        seconds = time.perf_counter() - started
        self._latency.add(seconds)
        values = {
            **asked,
            "z": z_digest(answer.z),
            "outside_m": f"{answer.outside:.4f}",
            "time_ms": f"{seconds * 1e3:.2f}",
        }
        if answer.reachable:
            self._answer(OK, f"{text} accepted", values)
            return
        nearest = ", ".join(f"{value:.3f}" for value in answer.encoded)
        self._answer(
            WARN,
            f"{text} is {answer.outside:.3g} m outside the data; "
            f"trying the nearest point seen, ({nearest})",
            values,
        )

    def _answer(self, level: bytes, text: str, values: Mapping[str, object]) -> None:
        whole = {"model_id": self._model_id, **values}
        name = f"{self.get_fully_qualified_name()}: prompt"
        self._status.publish(to_status(level, name, text, whole, self._robot.name))
        # rclpy wants one severity for each place in the code.
        if level == OK:
            self.get_logger().info(text)
        else:
            self.get_logger().warning(text)

    def _publish_diagnostics(self) -> None:
        figures = {name: f"{value:.3f}" for name, value in self._latency.figures().items()}
        values: dict[str, object] = {"model_id": self._model_id, **self._counts, **figures}
        name = f"{self.get_fully_qualified_name()}: task inference"
        status = to_status(OK, name, "listening for prompts", values, self._robot.name)
        self._diagnostics.publish(to_diagnostics(status, self.get_clock().now()))


def main() -> int:
    """Entry point of the process."""
    return run_node("task_inference_node", TaskInferenceNode)


if __name__ == "__main__":
    sys.exit(main())
