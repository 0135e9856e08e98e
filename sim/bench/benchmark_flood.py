"""How long `z` is silent, and whether the robot stops, while huge messages come as prompts."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable

import numpy as np
import rclpy
from geometry_msgs.msg import PointStamped, TwistStamped
from rclpy.serialization import serialize_message
from std_msgs.msg import Float64MultiArray, String

from fb_ros.nodes.qos import LATCHED, PROMPT
from sim.client.robot_client import RobotClient
from sim.client.running_robot import running_robot
from sim.robots.registry import make_environment

_NAMESPACE, _ROBOT = "benchmark", "jaco"
_GOAL = np.array([0.1, 0.1, 0.2])
# `z` is heard this long after the message has gone out.
_AFTER_SECONDS = 2.0


def _stamped(kind: type) -> Callable[[int], bytes]:
    def content(size: int) -> bytes:
        message = kind()
        message.header.frame_id = "x" * size
        return bytes(serialize_message(message))

    return content


def _numbers(size: int) -> bytes:
    # Numbers written by hand: rclpy takes a minute to serialise as many.
    count = size // 8
    head = b"\x00\x01\x00\x00" + bytes(8) + count.to_bytes(4, "little")
    return head + bytes(-(len(head) - 4) % 8) + bytes(8 * count)


# A message on `prompt/reward_value` has a fixed size: a large one cannot be sent.
_CONTENTS: dict[str, tuple[type, Callable[[int], bytes]]] = {
    "goal_point": (PointStamped, _stamped(PointStamped)),
    "goal_state": (Float64MultiArray, _numbers),
    "velocity": (TwistStamped, _stamped(TwistStamped)),
    "reward": (String, lambda size: bytes(serialize_message(String(data="+" * size)))),
    "reward_samples": (Float64MultiArray, _numbers),
    "skill": (String, lambda size: bytes(serialize_message(String(data="+" * size)))),
}


def benchmark_flood(megabytes: float) -> list[dict[str, object]]:
    """Returns a row for each prompt topic: what one message of that size did to a moving arm."""
    frame = make_environment(_ROBOT).spec.frame
    options = {"namespace": _NAMESPACE, "log_level": "fatal"}
    with running_robot(_ROBOT, options, frame=frame) as client:
        heard: list[float] = []
        client.create_subscription(
            Float64MultiArray, "z", lambda _: heard.append(time.monotonic()), LATCHED
        )
        client.wait_for_z(client.publish_goal(_GOAL))
        return [_flood(client, heard, topic, round(1e6 * megabytes)) for topic in _CONTENTS]


def _flood(client: RobotClient, heard: list[float], topic: str, size: int) -> dict[str, object]:
    stops_before = _stops(client)
    answered_before = client.inference_figures()
    # Another process sends it, so that this one hears `z` meanwhile.
    context = multiprocessing.get_context("spawn")
    sender = context.Process(target=send, args=(topic, size))
    sender.start()
    heard.clear()
    client.wait_for(lambda: not sender.is_alive(), f"the message on prompt/{topic}")
    until = time.monotonic() + _AFTER_SECONDS
    client.wait_for(lambda: time.monotonic() > until, "what comes of it")
    gaps = np.diff(heard)
    return {
        "case": topic,
        "megabytes": size / 1e6,
        "arrived": client.inference_figures()["prompts"] != answered_before.get("prompts"),
        "refused": client.inference_figures()["refused_prompts"]
        != answered_before.get("refused_prompts"),
        "longest_silence_s": float(gaps.max()),
        "stops": _stops(client) - stops_before,
    }


def _stops(client: RobotClient) -> int:
    return int(client.policy_figures()["stops"])


def send(topic: str, size: int) -> None:
    """Publishes one message of `size` bytes on a prompt topic, once somebody listens."""
    kind, content = _CONTENTS[topic]
    message = content(size)
    rclpy.init()
    node = rclpy.create_node("sender", namespace=_NAMESPACE)
    publisher = node.create_publisher(kind, f"prompt/{topic}", PROMPT)
    while not publisher.get_subscription_count():
        time.sleep(0.01)
    publisher.publish(message)
    publisher.wait_for_all_acked(rclpy.duration.Duration(seconds=20.0))
    rclpy.shutdown()
