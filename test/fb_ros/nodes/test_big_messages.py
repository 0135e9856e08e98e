"""Messages far larger than any prompt: refused by their size, and `z` goes on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rclpy
from rclpy.serialization import serialize_message
from std_msgs.msg import Float64MultiArray, String

from fb_ros.errors import FbRosError
from fb_ros.nodes.qos import LATCHED, PROMPT
from fb_ros.nodes.raw_messages import read_message
from test.fb_ros.nodes.conftest import StartRobot

GOAL = np.array([0.1, 0.1, 0.01])
BIG = 15_000_000
BIG_PROMPTS = [
    ("reward_samples", Float64MultiArray),
    ("goal_state", Float64MultiArray),
    ("reward", String),
    ("skill", String),
]


def big(kind: type) -> object:
    if kind is String:
        return String(data="+" * BIG)
    message = Float64MultiArray()
    message.data = np.zeros(BIG // 8).tolist()
    return message


def test_z_goes_on_while_big_messages_come(start_robot: StartRobot) -> None:
    client = start_robot(log_level="fatal")
    client.wait_for_z(client.publish_goal(GOAL))
    heard: list[Float64MultiArray] = []
    client.create_subscription(Float64MultiArray, "z", heard.append, LATCHED)
    # Serialised here: rclpy takes seconds for that, in which this process would hear nothing.
    contents = {kind: serialize_message(big(kind)) for kind in (String, Float64MultiArray)}
    for topic, kind in BIG_PROMPTS:
        publisher = client.create_publisher(kind, f"prompt/{topic}", PROMPT)
        client.wait_for(lambda p=publisher: p.get_subscription_count() > 0, topic)  # type: ignore[misc]
        refused = int(client.inference_figures().get("refused_prompts", "0"))
        heard.clear()
        publisher.publish(contents[kind])
        client.wait_for(
            lambda n=refused: (  # type: ignore[misc]
                int(client.inference_figures().get("refused_prompts", "0")) > n
            ),
            f"the refusal of {topic}",
        )
        client.wait_for(lambda: len(heard) > 3, "z")


def test_a_message_is_measured_before_it_is_read() -> None:
    with pytest.raises(FbRosError, match="at most 65536 are read"):
        read_message(bytes(100_000), String)


def test_a_damaged_message_is_refused() -> None:
    with pytest.raises(FbRosError, match="damaged"):
        read_message(b"\x00\x01\x00\x00\x02\x00\x00\xf0", String)


@pytest.mark.parametrize("text", ["", "wave", "é" * 100])
def test_a_text_is_read_as_it_was_sent(text: str) -> None:
    assert read_message(bytes(serialize_message(String(data=text))), String).data == text


def test_a_text_with_a_nul_byte_is_refused() -> None:
    text = b"tcp_pos[0]\x00 + 1\x00"
    content = b"\x00\x01\x00\x00" + len(text).to_bytes(4, "little") + text
    with pytest.raises(FbRosError, match="NUL byte"):
        read_message(content, String)


def test_of_queued_lines_commands_are_carried_out_and_prompts_replace_each_other(
    start_robot: StartRobot, root: Path
) -> None:
    client = start_robot(lockstep="true", log_level="fatal")
    publisher = client.create_publisher(String, "prompt/skill", PROMPT)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "prompt/skill")

    def counts() -> tuple[int, int]:
        figures = client.inference_figures()
        return tuple(int(figures.get(name, "0")) for name in ("prompts", "superseded_prompts"))  # type: ignore[return-value]

    for number in range(60):
        publisher.publish(String(data=f"goal_point(0.1, 0.{number}, 0.01)"))
    publisher.publish(String(data="save last_of_many"))
    publisher.publish(String(data="delete last_of_many"))
    client.wait_for(lambda: counts()[0] == 62, "all of them counted")
    assert counts()[1] < 60
    assert rclpy.ok()
