"""The examples of docs/testing.md are run as they stand, and are as short as it says."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fb_ros.errors import FbRosError
from sim.testing.plugin import StartRobot


def blocks(root: Path) -> list[str]:
    page = (root / "docs" / "testing.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


def run_test(code: str, fb_ros_robot: StartRobot) -> None:
    """Runs the one test that an example is."""
    names: dict[str, Any] = {}
    exec(compile(code, "docs/testing.md", "exec"), names)
    (test,) = (value for name, value in names.items() if name.startswith("test_"))
    test(fb_ros_robot)


def test_the_example_in_lock_step(root: Path, fb_ros_robot: StartRobot) -> None:
    example = blocks(root)[0]
    assert len(example.strip().splitlines()) <= 10
    run_test(example, fb_ros_robot)


def test_the_example_in_real_time(root: Path, fb_ros_robot: StartRobot) -> None:
    run_test(blocks(root)[1], fb_ros_robot)


def test_the_example_with_a_launch_file(root: Path, tmp_path: Path) -> None:
    if importlib.util.find_spec("launch_pytest") is None:
        pytest.skip("launch_pytest is not here; it comes with a ROS installation")
    example = blocks(root)[2]
    assert len([line for line in example.splitlines() if line.strip()]) <= 20
    (tmp_path / "test_launched.py").write_text(example, encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "sim.testing.plugin", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root), *sys.path])}
    ended = subprocess.run(
        words, capture_output=True, text=True, timeout=120, check=False, env=environment
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_a_refusal_is_an_error_with_its_reason(fb_ros_robot: StartRobot) -> None:
    robot = fb_ros_robot("point_mass")
    with pytest.raises(FbRosError, match="unknown name"):
        robot.prompt("reward(tcp_poz[2])")
    before = robot.joints
    robot.prompt("goal_point(0.1, 0.1, 0.01)")
    start = robot.position
    assert robot.run(seconds=0.2).shape == (round(0.2 / robot.spec.ctrl_dt), 3)
    assert robot.joints != before
    robot.reset()
    assert (robot.position != start).any()


def test_a_killed_node_can_be_started_anew(fb_ros_robot: StartRobot) -> None:
    robot = fb_ros_robot("point_mass", lockstep=False)
    robot.prompt("goal_point(0.1, 0.1, 0.01)")
    robot.wait_until_it_moves()
    robot.press_estop()
    robot.wait_until_it_stands()
    robot.resume()
    robot.commands.clear()
    robot.wait_until_it_moves()
    robot.kill("policy_node")
    robot.commands.clear()
    robot.restart("policy_node")
    robot.wait_until_it_moves()
