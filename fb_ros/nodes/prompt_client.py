"""A person's prompt from the shell: published, and its answer waited for."""

from __future__ import annotations

import os
import time

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from std_msgs.msg import String

from fb_ros.errors import FbRosError
from fb_ros.nodes.qos import LATCHED, PROMPT


def publish_prompt(namespace: str, line: str, text: str, patience: float) -> DiagnosticStatus:
    """Publishes `line` on `prompt/skill` and returns the answer to the prompt called `text`.

    Refuses after `patience` seconds without a listener or without an answer.
    """
    # As the demo and the launch file's robot are: on this machine, unless asked otherwise.
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    answers: list[DiagnosticStatus] = []
    rclpy.init()
    try:
        node = rclpy.create_node("prompt", namespace=namespace)
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        publisher = node.create_publisher(String, "prompt/skill", PROMPT)
        node.create_subscription(DiagnosticStatus, "prompt/status", answers.append, LATCHED)
        deadline = time.monotonic() + patience
        published = False
        while True:
            executor.spin_once(timeout_sec=0.05)
            # The answer to an earlier prompt is latched; it comes before ours is published.
            if published:
                for status in answers:
                    if {entry.key: entry.value for entry in status.values}.get("text") == text:
                        return status
            elif publisher.get_subscription_count() > 0:
                answers.clear()
                publisher.publish(String(data=line))
                published = True
            if time.monotonic() > deadline:
                what = "an answer" if published else "a task_inference_node"
                raise FbRosError(
                    f"waited {patience:g} s for {what} in {node.get_namespace()}; is it up, and "
                    "is the namespace right?"
                )
    finally:
        rclpy.try_shutdown()
