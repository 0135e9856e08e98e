"""A person's prompt from the shell: published, and its answer waited for."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import String

from fb_ros.errors import FbRosError
from fb_ros.nodes.qos import LATCHED, PROMPT

_LISTENER = "task_inference_node"


def publish_prompt(namespace: str, line: str, text: str, patience: float) -> DiagnosticStatus:
    """Publishes `line` on `prompt/skill` and returns the answer to the prompt called `text`.

    An empty `namespace` stands for that of the only robot that is up. Refuses after `patience`
    seconds without a robot or without an answer.
    """
    # As the demo's robot is: on this machine, unless asked otherwise.
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    deadline = time.monotonic() + patience
    rclpy.init()
    try:
        node = rclpy.create_node("prompt")
        executor = SingleThreadedExecutor()
        executor.add_node(node)

        def wait_for(done: Callable[[], bool], what: str) -> None:
            while not done():
                if time.monotonic() > deadline:
                    raise FbRosError(f"waited {patience:g} s for {what}; is the robot up?")
                executor.spin_once(timeout_sec=0.05)

        wait_for(lambda: bool(_robots(node, namespace)), f"{_LISTENER} {namespace}".strip())
        robots = _robots(node, namespace)
        if len(robots) > 1:
            raise FbRosError(f"several robots are up, {', '.join(robots)}; give --namespace")
        (robot,) = robots
        answers: list[DiagnosticStatus] = []
        topic = f"{robot.rstrip('/')}/prompt"
        publisher = node.create_publisher(String, f"{topic}/skill", PROMPT)
        node.create_subscription(DiagnosticStatus, f"{topic}/status", answers.append, LATCHED)
        wait_for(lambda: publisher.get_subscription_count() > 0, f"{_LISTENER} in {robot}")
        # The answer to an earlier prompt is latched; what has come by now is not ours.
        seen = {_values(status).get("number") for status in answers}
        publisher.publish(String(data=line))

        def answered() -> list[DiagnosticStatus]:
            return [
                status
                for status in answers
                if _values(status).get("text") == text
                and _values(status).get("number") not in seen
            ]

        wait_for(lambda: bool(answered()), f"an answer in {robot}")
        return answered()[0]
    finally:
        rclpy.try_shutdown()


def _robots(node: Node, namespace: str) -> list[str]:
    """Namespaces in which somebody listens to prompts; only the one asked for, if one is."""
    found = {where for name, where in node.get_node_names_and_namespaces() if name == _LISTENER}
    wanted = "/" + namespace.strip("/")
    return sorted(where for where in found if not namespace or where == wanted)


def _values(status: DiagnosticStatus) -> dict[str, str]:
    return {entry.key: entry.value for entry in status.values}
