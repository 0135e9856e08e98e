"""A stream of wrong prompts is answered or counted, and harms nothing."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import numpy as np
from geometry_msgs.msg import Point, PointStamped, TwistStamped
from std_msgs.msg import Float32, Float64MultiArray, Header, String

from fb_ros.nodes.messages import to_array_message
from fb_ros.nodes.qos import LATCHED
from sim.client.robot_processes import RobotProcesses
from test.fb_ros.nodes.conftest import StartRobot

# In the suite five seconds, at a rate that a node on a busy machine keeps up with: a queue of a
# hundred then lasts for a second. By hand the minute of the requirements, at their rate.
BY_HAND = "FB_ROS_FLOOD_SECONDS" in os.environ
SECONDS = float(os.environ.get("FB_ROS_FLOOD_SECONDS", "5"))
RATE = 1000 if BY_HAND else 250
KIB_TOLERATED = 4096
GOAL = np.array([0.1, 0.1, 0.01])

WRONG: list[tuple[str, type, object]] = [
    ("goal_state", Float64MultiArray, Float64MultiArray(data=[np.nan] * 5)),
    ("reward_samples", Float64MultiArray, Float64MultiArray(data=[0.0] * 7)),
    ("reward_value", Float32, Float32(data=float("inf"))),
    ("reward", String, String(data="exp(-norm(tcp_poz))")),
    ("reward", String, String(data="(" * 1000)),
    ("skill", String, String(data="../../etc/passwd")),
    ("skill", String, b"\x00\x01\x00\x00\x02\x00\x00\x00\xff\x00"),
    ("skill", String, String()),
    ("reward", String, b"\x00\x01\x00\x00\x02\x00\x00\x00\xff\x00"),
    ("reward", String, String()),
    ("reward", String, String(data="1e308 * 10 * tcp_pos[0]")),
    ("goal_point", PointStamped, PointStamped(point=Point(x=float("nan")))),
    ("goal_point", PointStamped, PointStamped(point=Point(x=float("-inf")))),
    ("goal_point", PointStamped, PointStamped(header=Header(frame_id="moon"))),
    ("velocity", TwistStamped, TwistStamped(header=Header(frame_id="moon"))),
    ("goal_state", Float64MultiArray, to_array_message(np.zeros(5), "0" * 64)),
]


def resident_kib(pid: int) -> int:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has ended")


def test_a_flood_is_counted_and_changes_nothing(
    start_robot: StartRobot, processes: list[RobotProcesses]
) -> None:
    client = start_robot(lockstep="true", log_level="fatal")
    client.wait_for_z(client.publish_goal(GOAL))
    messages: list[Float64MultiArray] = []
    client.create_subscription(Float64MultiArray, "z", messages.append, LATCHED)
    client.wait_for(lambda: bool(messages), "the latched z")
    publishers = {
        topic: client.create_publisher(kind, f"prompt/{topic}", 1000) for topic, kind, _ in WRONG
    }
    for topic, publisher in publishers.items():
        client.wait_for(lambda p=publisher: p.get_subscription_count() > 0, topic)  # type: ignore[misc]
    pid = processes[0].pid("task_inference_node")

    def counted() -> int:
        return int(client.inference_figures().get("prompts", "0"))

    client.wait_for(lambda: counted() > 0, "the diagnostics")

    def flood(seconds: float) -> int:
        before, started, sent = counted(), time.monotonic(), 0
        for topic, _, message in itertools.cycle(WRONG):
            publishers[topic].publish(message)
            sent += 1
            if time.monotonic() - started >= seconds:
                break
            # A sender that is ahead of its rate pauses.
            time.sleep(max(0.0, sent / RATE - (time.monotonic() - started)))
        client.wait_for(lambda: counted() >= before + sent, f"all {sent} to be counted")
        return sent

    flood(2.0)
    resident = resident_kib(pid)
    sent = flood(SECONDS)
    assert sent > 0.9 * RATE * SECONDS or not BY_HAND
    assert resident_kib(pid) - resident < KIB_TOLERATED
    client.publish_goal(GOAL)
    assert all(message.data == messages[0].data for message in messages)
