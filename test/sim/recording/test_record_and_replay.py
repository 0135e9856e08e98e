"""A recorded run can be said again: in lock-step it is the same, bit for bit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fb_ros.cli import main
from sim.recording.recorded_run import largest_difference
from sim.testing.simulated_robot import simulated_robot
from test.sim.recording.recording import recorder, wait_until_recorded

NAMESPACE = "/recorded"


def test_a_run_in_lock_step_is_repeated_bit_for_bit(fb_ros_context: None, tmp_path: Path) -> None:
    bag, options = tmp_path / "recording", {"seed": "5", "lockstep": "true"}
    # The robot ends before its run is said again: /clock has one maker.
    with (
        recorder(bag, NAMESPACE) as heard,
        simulated_robot("point_mass", {"namespace": "recorded", **options}) as robot,
    ):
        wait_until_recorded(robot, heard)
        robot.prompt("goal_point(0.1, 0.1, 0.01)")
        steps = 0
        while not {"commands", "z"} <= heard.topics():
            robot.step()
            steps += 1
        steps += len(robot.run(0.4))
        robot.prompt("reward(tcp_pos[0] < -0.05)")
        steps += len(robot.run(0.4))
        robot.prompt("goal_point(0.1, 0, 0.01) 0.5 + goal_point(0, 0.1, 0.01) 0.5")
        steps += len(robot.run(0.2))
    command = [sys.executable, "-m", "fb_ros.cli", "replay", "--bag", str(bag), "--json"]
    done = subprocess.run(
        [*command, "--bundle", "point_mass"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["prompts"] == result["same_z"] == 3
    assert result["lockstep"]
    assert result["states"] == steps + 1
    assert result["largest_difference"] == 0.0


def test_a_recording_in_real_time_becomes_data(
    fb_ros_context: None, tmp_path: Path, root: Path
) -> None:
    bag = tmp_path / "recording"
    with (
        recorder(bag, NAMESPACE) as heard,
        simulated_robot("point_mass", {"namespace": "recorded"}) as robot,
    ):
        wait_until_recorded(robot, heard)
        robot.prompt("goal_point(0.1, 0.1, 0.01)")
        robot.client.wait_for(lambda: {"commands", "z"} <= heard.topics(), "commands")
        robot.run(3.0)
    mapping = tmp_path / "mapping.yaml"
    text = (root / "config" / "jaco_bag.yaml").read_text().replace("/jaco/", f"{NAMESPACE}/")
    mapping.write_text("\n".join(one for one in text.splitlines() if "tcp_orientation" not in one))
    line = ["data", "convert", str(bag), "--robot", "point_mass"]
    assert main([*line, "--mapping", str(mapping), "--out", str(tmp_path / "data")]) == 0
    assert list((tmp_path / "data").glob("episode_*.npz"))


def test_runs_that_part_are_told_apart() -> None:
    one = {10: {"a": 0.0}, 20: {"a": 1.0}, 30: {"a": 2.0}}
    same = {stamp + 5: joints for stamp, joints in one.items()}
    assert largest_difference(one, same) == (3, 0.0, None)
    shared, largest, since = largest_difference(one, {**same, 35: {"a": 2.5}})
    assert (shared, largest) == (3, 0.5)
    assert since == pytest.approx(20e-9)


def test_a_bag_that_is_none_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", "--bag", str(tmp_path / "nothing"), "--bundle", "point_mass"]) == 1
    assert "there is no bag" in capsys.readouterr().err
