"""Publishes a person's prompt from the shell, and waits for its answer."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import rclpy
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Float32, String

from fb_ros.bringup.this_machine import stay_on_this_machine
from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import values_of
from fb_ros.nodes.prompt_messages import SHOWN
from fb_ros.nodes.qos import PROMPT
from fb_ros.nodes.run import init_ros

_LISTENER = "task_inference_node"
# Fast DDS announces a robot's processes every 3 s; on a busy machine the second announcement
# brings those that the first ones missed.
_QUIET_SECONDS = 3.5
# The queue is deep, so that our answer is not lost among others'.
_ANSWERS = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)


def publish_prompt(
    namespace: str, line: str, reward_value: float | None, patience: float
) -> DiagnosticStatus:
    """Publishes `line` on `prompt/skill`, or a reward value, and returns the answer.

    An empty `namespace` means that of the only running robot. A missing robot or answer is refused
    after `patience` seconds.
    """
    # Like the demo's robot, the client stays on this machine, unless set otherwise.
    stay_on_this_machine()
    deadline = time.monotonic() + patience
    init_ros()
    try:
        node = rclpy.create_node("prompt")
        executor = SingleThreadedExecutor()
        executor.add_node(node)

        def wait_for(done: Callable[[], bool], what: str) -> None:
            while not done():
                if time.monotonic() > deadline:
                    raise FbRosError(f"waited {patience:g} s for {what}; is the robot up?")
                executor.spin_once(timeout_sec=0.05)

        # Robots are discovered one after the other, so the first may not be the only one. Unless
        # one was named, this waits until nothing new has turned up for a while.
        known: list[tuple[str, str]] = []
        changed = time.monotonic()

        def settled() -> bool:
            nonlocal known, changed
            found = sorted(node.get_node_names_and_namespaces())
            if found != known:
                known, changed = found, time.monotonic()
            quiet = namespace or time.monotonic() - changed > _QUIET_SECONDS
            return bool(quiet and _robots(node, namespace))

        if not namespace:
            wait = f"{_QUIET_SECONDS:g} s; --namespace ROBOT does not wait"
            print(f"looking for robots for {wait}", file=sys.stderr, flush=True)
        wait_for(settled, _LISTENER)
        robots = _robots(node, namespace)
        if len(robots) > 1:
            raise FbRosError(f"several robots are up, {', '.join(robots)}; give --namespace")
        (robot,) = robots
        answers: list[DiagnosticStatus] = []
        topic = f"{robot.rstrip('/')}/prompt"
        if reward_value is None:
            publisher = node.create_publisher(String, f"{topic}/skill", PROMPT)
            message, asked = String(data=line), ("text", line[:SHOWN])
        else:
            publisher = node.create_publisher(Float32, f"{topic}/reward_value", PROMPT)
            message, asked = Float32(data=reward_value), ("prompt", "reward_value")
        node.create_subscription(DiagnosticStatus, f"{topic}/status", answers.append, _ANSWERS)
        # The last answer is latched, if only that the node is ready: ours comes after it.
        wait_for(
            lambda: bool(answers) and publisher.get_subscription_count() > 0,
            f"{_LISTENER} in {robot}",
        )
        last = max(int(values_of(status)["number"]) for status in answers)
        publisher.publish(message)

        def answered() -> list[DiagnosticStatus]:
            return [
                status
                for status in answers
                if int(values_of(status)["number"]) > last and asked in values_of(status).items()
            ]

        wait_for(lambda: bool(answered()), f"an answer in {robot}")
        return answered()[0]
    finally:
        rclpy.try_shutdown()


def _robots(node: Node, namespace: str) -> list[str]:
    """Namespaces in which a node listens to prompts; only the one asked for, if one is."""
    found = {where for name, where in node.get_node_names_and_namespaces() if name == _LISTENER}
    wanted = "/" + namespace.strip("/")
    return sorted(where for where in found if not namespace or where == wanted)
