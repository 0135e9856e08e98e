"""What cannot start ends in one line and a failure, and what runs can be watched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import PointStamped

from fb_ros.cli import main
from fb_ros.nodes.qos import PROMPT
from sim.client.robot_processes import RobotProcesses
from test.fb_ros.nodes.conftest import StartRobot

SIM, POLICY, INFERENCE, PAGE = (
    "sim.node.sim_node",
    "fb_ros.nodes.policy_node",
    "fb_ros.nodes.task_inference_node",
    "sim.web.web_node",
)


def run(
    module: str, *parameters: str, namespace: str = "alone"
) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", module, "--ros-args", "-r", f"__ns:=/{namespace}"]
    for parameter in parameters:
        words += ["-p", parameter]
    return subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False, env=os.environ
    )


@pytest.mark.parametrize(
    ("module", "parameters", "expected"),
    [
        (SIM, ["robot:=yaco"], "there is no robot 'yaco'; possible: jaco, point_mass"),
        (SIM, ["robot:=point_mass", "real_time_factor:=-1"], "real_time_factor is -1"),
        (SIM, ["robot:=point_mass", "real_time_factor:=1e-12"], "expected 0.001 to 1000"),
        (SIM, ["robot:=point_mass", "seed:=many"], "seed"),
        (SIM, ["robot:=point_mass", "seed:=-1"], "expected 0 or more"),
        (SIM, ["robot:=point_mass", "start:=flying"], "expected one of benchmark, standing"),
        (POLICY, ["bundle:=/nowhere/at/all"], "there is no bundle at /nowhere/at/all"),
        (POLICY, [], "no bundle was given"),
        (POLICY, ["bundle:=point_mass", "observation_timeout:=soon"], "observation_timeout"),
        (POLICY, ["bundle:=point_mass", "observation_timeout:=.nan"], "observation_timeout"),
        (POLICY, ["bundle:=point_mass", "observation_source:=guess"], "vector, sensors"),
        (POLICY, ["bundle:=point_mass", "backend:=abacus"], "possible: auto, onnxruntime"),
        (POLICY, ["bundle:=point_mass", "precision:=fp8"], "expected one of fp32, fp16"),
        (INFERENCE, ["bundle:=point_mass", "precision:=fp8"], "expected one of fp32, fp16"),
        (INFERENCE, ["bundle:=yaco"], "the models that ship are"),
        (POLICY, ["bundle:=point_mass", "rename_joints.hip:=h"], "name hip; robot point_mass has"),
        (INFERENCE, ["bundle:=point_mass", "rename_joints.root_x:=root_y"], "the one name root_y"),
        (PAGE, ["bundle:=yaco"], "the models that ship are"),
        (PAGE, ["bundle:=point_mass", "port:=99999"], "cannot listen on 127.0.0.1:99999"),
        (PAGE, ["bundle:=point_mass", "host:=192.0.2.1"], "cannot listen on 192.0.2.1:8080"),
    ],
)
def test_a_node_that_cannot_start_says_why_in_one_line(
    module: str, parameters: list[str], expected: str
) -> None:
    ended = run(module, *parameters)
    assert_one_line(ended, expected)


def test_a_robot_whose_gpu_cannot_be_used_runs_and_says_why(
    start_robot: StartRobot, processes: list[RobotProcesses]
) -> None:
    """On a machine that has one, it runs on that."""
    client = start_robot(backend="tensorrt_rtx", precision="fp16")
    client.wait_for_z(client.publish_goal(np.array([0.1, 0.1, 0.01])))
    client.wait_for(lambda: client.policy_state() == "moving", "a motion")
    log = processes[0].log("policy_node")
    assert "policy_fp16.onnx runs on" in log
    assert "TensorRT for RTX" in log or "because tensorrt_rtx: " in log


def assert_one_line(ended: subprocess.CompletedProcess[str], expected: str) -> None:
    """A failure, whose reason is one line of ours; ROS may have logged something before it."""
    assert ended.returncode == 1
    lines = ended.stderr.strip().splitlines()
    assert "Traceback" not in ended.stderr
    assert expected in lines[-1], ended.stderr
    assert sum(": error: " in line for line in lines) == 1, ended.stderr


def test_a_namespace_that_ros_does_not_take_is_refused() -> None:
    ended = run(SIM, "robot:=point_mass", namespace="no good!")
    assert ended.returncode == 1
    assert "no good!" in ended.stderr


def test_a_second_simulation_in_the_namespace_is_refused(start_robot: StartRobot) -> None:
    client = start_robot(namespace="taken")
    ended = run(SIM, "robot:=point_mass", namespace="taken")
    assert_one_line(ended, "there is a sim_node in namespace /taken already")
    client.wait_until_ready()


def test_a_second_clock_is_refused(start_robot: StartRobot) -> None:
    start_robot(namespace="first")
    ended = run(SIM, "robot:=point_mass", namespace="second")
    assert_one_line(ended, "/clock has a publisher already")


def test_a_demo_beside_a_running_robot_is_refused_and_publishes_nothing(
    start_robot: StartRobot,
) -> None:
    client = start_robot()
    goals: list[PointStamped] = []
    client.create_subscription(PointStamped, "prompt/goal_point", goals.append, PROMPT)
    words = [sys.executable, "-m", "fb_ros.cli", "demo", "--bundle", "point_mass"]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert_one_line(ended, "there is a sim_node in namespace /point_mass already")
    # This answer comes after anything that the demo might have published.
    client.publish_goal(np.array([0.1, 0.1, 0.01]))
    assert len(goals) <= 1


def test_the_demo_reaches_its_goals_in_real_time(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    bundle = str(root / "models" / "point_mass")
    words = ["demo", "--bundle", bundle, "--goals", "2", "--real-time-factor", "2"]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert "2 of 2 reached" in captured.out
    assert "cm" in captured.err
