"""`fb_ros prompt` over real nodes: what a person at a shell sees."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fb_ros.cli import main
from sim.client.robot_client import RobotClient
from test.fb_ros.nodes.conftest import WALL_CLOCK, StartRobot

# Longer than what an answer repeats of it.
LONG = "tcp_pos[0] > 0.1 and " + " and ".join(["tcp_pos[1] > -1.000"] * 20)


def prompt(*words: str) -> tuple[int, dict[str, str], str]:
    """Status, answer and standard error of `fb_ros prompt` to /robot."""
    return search_and_prompt(*words, "--namespace", "robot")


def search_and_prompt(*words: str) -> tuple[int, dict[str, str], str]:
    """The same of `fb_ros prompt` to whatever robot is up, in a process of its own."""
    command = [sys.executable, "-m", "fb_ros.cli", "prompt", *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


def test_without_a_robot_it_says_so() -> None:
    status, _, error = search_and_prompt("--reward", "tcp_pos[0] > 0.1", "--patience", "2")
    # The first of the file: later there is one.
    assert status == 1
    assert "waited 2 s for task_inference_node; is the robot up?" in error


@pytest.mark.parametrize("asked", ["valid", "refused", "skills", "long"])
def test_every_prompt_from_the_shell_is_answered(shared_robot: RobotClient, asked: str) -> None:
    if asked == "valid":
        status, answer, _ = prompt("--reward", "tcp_pos[0] > 0.1")
        assert status == 0
        assert float(answer["predicted_reward"]) > 0.0
        assert prompt("--goal-point", "0.1", "0.1", "0.01")[0] == 0
        assert prompt("--reward-value", "1.0")[1]["labelled_states"] == "1"
        # The only robot needs no name.
        status, _, error = search_and_prompt("--reward", "tcp_pos[0] > 0.1")
        assert status == 0
        assert "looking for robots for 3.5 s; --namespace ROBOT does not wait" in error
    elif asked == "refused":
        for line in ("goal_point(1,2)", "wave + bow", "velocity(1,2)", "reward( tcp_poz )"):
            status, answer, _ = prompt("--text", line)
            assert status == 1
            assert "refused" in answer["message"]
    elif asked == "skills":
        assert prompt("--text", "goal_point(0.1, 0.1, 0.01)")[0] == 0
        assert "saved as skill here" in prompt("--text", "save here")[1]["message"]
        assert "saved as skill here" in prompt("--text", "anew here")[1]["message"]
        assert "here: goal_point" in prompt("--text", "list")[1]["message"]
        assert prompt("--text", "here 0.5 + goal_point(0, 0, 0.01) 0.5")[0] == 0
        assert "is gone" in prompt("--text", "delete here")[1]["message"]
    else:
        assert len(LONG) > 300
        assert prompt("--reward", LONG)[0] == 0


def test_with_two_robots_up_one_has_to_be_named(
    shared_robot: RobotClient, start_robot: StartRobot
) -> None:
    start_robot(namespace="left", lockstep="true", **WALL_CLOCK)
    status, _, error = search_and_prompt("--reward", "tcp_pos[0] > 0.1")
    assert status == 1
    assert "several robots are up, /left, /robot; give --namespace" in error
    assert search_and_prompt("--reward", "tcp_pos[0] > 0.1", "--namespace", "left")[0] == 0


def test_a_dry_run_needs_no_robot_and_changes_no_skill(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dry = ["prompt", "--bundle", str(root / "models" / "point_mass"), "--dry-run", "--json"]
    dry += ["--skills", str(tmp_path / "skills")]
    assert main([*dry, "--reward", "tcp_pos[0] > 0.1"]) == 0
    assert json.loads(capsys.readouterr().out)["share"] > 0.0
    (tmp_path / "skills").mkdir()
    (tmp_path / "skills" / "wave.safetensors").write_bytes(b"")
    assert main([*dry, "--text", "delete wave"]) == 1
    assert "would change the skills" in capsys.readouterr().err
    assert (tmp_path / "skills" / "wave.safetensors").exists()
    assert main([*dry, "--text", "list"]) == 0
    samples = tmp_path / "samples.csv"
    samples.write_text("0.1, 0.1, 0.01, 0, 0, 1\n-0.1, 0.1, 0.01, 0, 0, -1\n")
    assert main([*dry, "--samples", str(samples)]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--dry-run", "--reward", "1"], "--dry-run needs --bundle"),
        (["--dry-run"], "give one of --reward"),
        (["--reward", "1", "--text", "wave"], "give one of --reward"),
        (["--dry-run", "--reward-value", "1"], "leave --dry-run out"),
    ],
)
def test_wrong_flags_are_named(
    words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prompt", *words]) == 1
    assert message in capsys.readouterr().err
