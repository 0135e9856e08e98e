"""The page of every robot that ships, with nothing but what bundle and registry say of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy
from rclpy.executors import SingleThreadedExecutor
from sensor_msgs.msg import JointState
from std_msgs.msg import Float64MultiArray

from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.nodes.messages import to_array_message
from fb_ros.nodes.qos import LATCHED, STREAM
from fb_ros.task_inference.reward_inference import RewardInference
from sim.bench.headless_browser import MOVES, HeadlessBrowser
from sim.node.robot_messages import joint_states_message
from sim.robots.registry import make_environment
from sim.web.node import WebNode


@pytest.fixture
def node(shipped_bundle: Path) -> Iterator[WebNode]:
    parameters = ["-p", f"bundle:={shipped_bundle}", "-p", "port:=0", "-r", "__ns:=/any"]
    rclpy.init(args=["--ros-args", *parameters])
    found = WebNode()
    yield found
    found.destroy_node()
    rclpy.try_shutdown()


@pytest.fixture
def bundle(shipped_bundle: Path) -> Bundle:
    return load_bundle(shipped_bundle)


def test_a_page_shows_what_the_topics_say_and_offers_what_the_model_reads(
    node: WebNode, bundle: Bundle
) -> None:
    robot = node.create_publisher(JointState, "joint_states", STREAM)
    z = node.create_publisher(Float64MultiArray, "z", LATCHED)
    inference = RewardInference(bundle, "onnxruntime")
    z.publish(to_array_message(inference.infer(inference.example()).z, bundle.model_id))
    environment = make_environment(bundle.robot.name)
    environment.reset(np.random.RandomState(0))
    state = environment.robot_state()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    with HeadlessBrowser(node.port) as browser:
        found: list[dict[str, Any]] = []
        moved: set[str] = set()
        for step in range(600):
            position = state.joint_position + 0.01 * np.sin(step)
            stamp = node.get_clock().now().to_msg()
            robot.publish(
                joint_states_message(stamp, state.joint_names, position, state.joint_velocity)
            )
            executor.spin_once(timeout_sec=0.02)
            for _, messages in browser.read(0.02):
                found += messages
            moved |= {m["name"] for m in found if m["type"] in MOVES}
            if any("/robot/" in name for name in moved) and _leads(found):
                break
        assert any("/robot/" in name for name in moved), "the robot does not move"
        assert _leads(found), "nothing shows where z leads"
    tables = [m["props"]["content"] for m in found if m["type"] == "GuiHtmlMessage"]
    assert any(f"<b>{bundle.encoder_features[0]}</b>" in table for table in tables)
    folders = {m["props"]["label"] for m in found if m["type"] == "GuiFolderMessage"}
    moves = set(bundle.robot.velocity_features) & set(bundle.encoder_features)
    assert ("Move at a velocity" in folders) == bool(moves)
    assert ("Examples" in folders) == bool(node.examples)


def _leads(messages: list[dict[str, Any]]) -> bool:
    """Whether the ghost, or the ball that stands for it, is shown."""
    return any(
        message["type"] == "SetSceneNodeVisibilityMessage"
        and ("/ghost/" in message["name"] or message["name"].endswith("/lead"))
        and message["visible"]
        for message in messages
    )
