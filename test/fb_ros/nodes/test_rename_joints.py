"""A driver that names joints differently drives the robot, once the nodes are told."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import rclpy
import yaml

from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import values_of
from fb_ros.nodes.rename_joints import declare_joint_renaming
from sim.bench.fault_bench import fault_bench
from sim.robots.registry import make_environment

ROBOT = make_environment("jaco").spec
NAMES = {joint: f"j2n6s300_{joint}" for joint in ROBOT.action_joints}


def test_the_arm_moves_under_its_drivers_names(tmp_path: Path) -> None:
    parameters = {"/**": {"ros__parameters": {"rename_joints": NAMES}}}
    file = tmp_path / "driver.yaml"
    file.write_text(yaml.safe_dump(parameters))
    rclpy.init()
    try:
        with fault_bench(params_file=str(file)) as bench:
            bench.robot.wires.names = NAMES
            bench.start()
            # The prompts' node knows the state, too, once a message of the sensors has reached it.
            deadline, stamp = time.monotonic() + 60.0, ""
            while not stamp and time.monotonic() < deadline:
                bench.ask()
                stamp = values_of(bench.answers[-1])["state_stamp"]
            assert float(stamp) > 0.0
            assert bench.robot.wrong == []
    finally:
        rclpy.try_shutdown()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (
            ["rename_joints.joint_9:=x"],
            "rename_joints name joint_9; robot jaco has",
        ),
        (["rename_joints.joint_1:=7"], "call joint_1 7, expected a name"),
        (["rename_joints:=[a, b]"], r"expected the driver's name .* rename_joints\.joint_1:=NAME"),
    ],
)
def test_a_wrong_renaming_is_refused(words: list[str], expected: str) -> None:
    context = rclpy.Context()
    rclpy.init(
        args=["--ros-args", *(part for word in words for part in ("-p", word))], context=context
    )
    node = rclpy.create_node("reader", context=context)
    try:
        with pytest.raises(FbRosError, match=expected):
            declare_joint_renaming(node, ROBOT)
    finally:
        node.destroy_node()
        context.try_shutdown()
