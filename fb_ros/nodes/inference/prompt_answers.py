"""Answers to prompts: one message on `prompt/status` and one line of log for each."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node

from fb_ros.nodes.messages import ERROR, OK, WARN, to_status
from fb_ros.nodes.qos import LATCHED
from fb_ros.task_inference.inference import Inference


class PromptAnswers:
    """Publishes the answers of `node`, latched, with the number of the prompt."""

    def __init__(
        self, node: Node, model_id: str, robot: str, counts: MutableMapping[str, int]
    ) -> None:
        """`counts` are the node's: `prompts` numbers answers; refusals add to
        `refused_prompts`."""
        self._node, self._model_id, self._robot, self._counts = node, model_id, robot, counts
        self._status = node.create_publisher(DiagnosticStatus, "prompt/status", LATCHED)

    def accept(self, text: str, inference: Inference, values: Mapping[str, object]) -> None:
        """Answers a prompt that is in force now, with its warnings."""
        if inference.warnings:
            self.give(WARN, f"{text}: {'; '.join(inference.warnings)}", values)
        else:
            self.give(OK, f"{text} accepted", values)

    def refuse(self, topic: str, text: str, reason: str) -> None:
        """Refuses a prompt; the one before stays in force."""
        self._counts["refused_prompts"] += 1
        self.give(ERROR, f"{text} refused: {reason}", {"prompt": topic, "text": text})

    def give(self, level: bytes, text: str, values: Mapping[str, object]) -> None:
        """Publishes and logs one answer."""
        text = " ".join(text.split())
        whole = {"model_id": self._model_id, "number": self._counts["prompts"], **values}
        name = f"{self._node.get_fully_qualified_name()}: prompt"
        self._status.publish(to_status(level, name, text, whole, self._robot))
        # rclpy wants one severity for each place in the code. The log is throttled, since a stream
        # of prompts would fill the disk; the topic has all answers.
        if level == OK:
            self._node.get_logger().info(text, throttle_duration_sec=0.1)
        else:
            self._node.get_logger().warning(text, throttle_duration_sec=0.1)
