"""What cannot start ends in one line and a failure, and what runs can be watched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fb_ros.cli import main
from test.nodes.conftest import StartRobot

SIM, POLICY, INFERENCE = (
    "sim.sim_node",
    "fb_ros.nodes.policy_node",
    "fb_ros.nodes.task_inference_node",
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
        (SIM, ["robot:=point_mass", "real_time_factor:=-1"], "expected above 0"),
        (SIM, ["robot:=point_mass", "seed:=many"], "seed"),
        (POLICY, ["bundle:=/nowhere/at/all"], "there is no bundle at /nowhere/at/all"),
        (POLICY, [], "no bundle was given"),
        (POLICY, ["bundle:=point_mass", "observation_timeout:=soon"], "observation_timeout"),
        (POLICY, ["bundle:=point_mass", "backend:=abacus"], "possible: auto, onnxruntime"),
        (INFERENCE, ["bundle:=yaco"], "the models that ship are"),
    ],
)
def test_a_node_that_cannot_start_says_why_in_one_line(
    module: str, parameters: list[str], expected: str
) -> None:
    ended = run(module, *parameters)
    assert ended.returncode == 1
    assert expected in ended.stderr
    assert ended.stderr.strip().count("\n") == 0, ended.stderr


def test_a_namespace_that_ros_does_not_take_is_refused() -> None:
    ended = run(SIM, "robot:=point_mass", namespace="no good!")
    assert ended.returncode == 1
    assert "no good!" in ended.stderr


def test_a_second_simulation_in_the_namespace_is_refused(start_robot: StartRobot) -> None:
    client = start_robot(namespace="taken")
    ended = run(SIM, "robot:=point_mass", namespace="taken")
    assert ended.returncode == 1
    assert "there is a sim_node in namespace /taken already" in ended.stderr
    assert ended.stderr.strip().count("\n") == 0, ended.stderr
    client.wait_until_ready()


def test_the_demo_reaches_its_goals_in_real_time(
    capsys: pytest.CaptureFixture[str], root: Path
) -> None:
    bundle = str(root / "models" / "point_mass")
    words = ["demo", "--bundle", bundle, "--goals", "2", "--real-time-factor", "2"]
    assert main(words) == 0
    captured = capsys.readouterr()
    assert "2 of 2 reached" in captured.out
    assert "cm" in captured.err
