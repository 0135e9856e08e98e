"""A recorded run can be said again: in lock-step it is the same, bit for bit."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray

from fb_ros.cli import main
from sim.client.robot_client import RobotClient
from sim.recording.recorded_run import largest_difference
from sim.testing.simulated_robot import simulated_robot

NAMESPACE = "/recorded"


@pytest.fixture
def recording(fb_ros_context: None, tmp_path: Path) -> Path:
    """A bag of a point mass that is asked for three things."""
    bag = tmp_path / "recording"
    command = [sys.executable, "-m", "fb_ros.cli", "record", "--namespace", NAMESPACE]
    options = {"namespace": NAMESPACE.strip("/"), "seed": "5", "lockstep": "true"}
    topics = ("prompt/skill", "prompt/status", "joint_states", "z", "commands", "/diagnostics")
    with subprocess.Popen(
        [*command, "--out", str(bag), "--json"], stdout=-1, stderr=-1
    ) as running:
        try:
            # It ends before its run is said again: /clock has one maker.
            with simulated_robot("point_mass", options) as robot:
                client = robot.client
                client.wait_for(
                    lambda: all("recorder" in _listeners(client, one) for one in topics),
                    "the recorder",
                )
                # The simulation says once a second how it runs.
                heard: list[DiagnosticArray] = []
                client.create_subscription(DiagnosticArray, "/diagnostics", heard.append, 10)
                client.wait_for(lambda: any(_of_simulation(one) for one in heard), "sim_node")
                robot.prompt("goal_point(0.1, 0.1, 0.01)")
                robot.run(0.4)
                robot.prompt("reward(tcp_pos[0] < -0.05)")
                robot.run(0.4)
                robot.prompt("goal_point(0.1, 0, 0.01) 0.5 + goal_point(0, 0.1, 0.01) 0.5")
                robot.run(0.2)
                running.send_signal(signal.SIGINT)
            out, errors = running.communicate(timeout=60.0)
        finally:
            running.kill()
    assert running.returncode == 0, errors.decode()
    messages = json.loads(out.decode().splitlines()[-1])["messages"]
    assert messages[f"{NAMESPACE}/prompt/skill"] >= 3
    assert all(messages[f"{NAMESPACE}/{topic}"] > 0 for topic in topics[:-1])
    return bag


def _of_simulation(message: DiagnosticArray) -> bool:
    return any(one.name.endswith("sim_node: simulation") for one in message.status)


def _listeners(client: RobotClient, topic: str) -> set[str]:
    """Names of the nodes that hear a topic."""
    topic = topic if topic.startswith("/") else f"{NAMESPACE}/{topic}"
    found = client.get_subscriptions_info_by_topic(topic)
    return {one.node_name for one in found}


def test_a_run_in_lock_step_is_repeated_bit_for_bit_and_becomes_data(
    recording: Path, tmp_path: Path, root: Path
) -> None:
    command = [sys.executable, "-m", "fb_ros.cli", "replay", "--bag", str(recording), "--json"]
    done = subprocess.run(
        [*command, "--bundle", "point_mass"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["prompts"] == result["same_z"] == 3
    assert result["lockstep"]
    assert result["states"] == 11
    assert result["largest_difference"] == 0.0

    mapping = tmp_path / "mapping.yaml"
    text = (root / "config" / "jaco_bag.yaml").read_text().replace("/jaco/", f"{NAMESPACE}/")
    lines = [one for one in text.splitlines() if "tcp_orientation" not in one]
    # Lock-step has a pace of its own.
    mapping.write_text("\n".join([*lines, "times: header"]))
    line = ["data", "convert", str(recording), "--robot", "point_mass"]
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
