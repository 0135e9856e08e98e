"""docs/own_robot.md on a small scale: a robot's bag becomes a model that takes prompts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fb_ros.bundle.files import DESCRIPTION
from fb_ros.cli import main
from sim.testing.simulated_robot import simulated_robot
from test.sim.recording.recording import recorder, wait_until_recorded

ASKED = "velocity(0.5, 0, 0, 0, 0, 0.3)"
# A small model: what is tried are the commands.
SMALL = [
    *("--agent.hidden", "32", "--agent.backward-hidden", "16", "--agent.batch", "64"),
    *("--agent.groups", "16", "--agent.reward-states", "32", "--updates", "20"),
    *("--eval-every", "20", "--eval-goals", "1", "--threads", "1"),
]


def test_a_bag_of_a_robot_becomes_a_model_that_takes_prompts(
    fb_ros_context: None, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag, data, run, model = (tmp_path / name for name in ("bag", "data", "run", "mine"))
    # The shipped model stands in for the controller that a robot has.
    options = {"bundle": str(root / "models" / "go2")}
    with recorder(bag, "/go2") as heard, simulated_robot("go2", options) as robot:
        wait_until_recorded(robot, heard)
        robot.prompt(ASKED)
        robot.client.wait_for(lambda: {"commands", "z"} <= heard.topics(), "commands")
        robot.run(6.0)
    mapping = tmp_path / "go2_bag.yaml"
    # A busy machine simulates slower than the bag's clock goes.
    shipped = (root / "config" / "go2_bag.yaml").read_text(encoding="utf-8")
    mapping.write_text(f"{shipped}\ntimes: header\n", encoding="utf-8")
    train = ["train", "--recipe", "locomotion", "--robot", "go2", "--data", data, "--out", run]
    lines = (
        ["data", "convert", bag, "--robot", "go2", "--mapping", mapping, "--out", data],
        ["data", "inspect", data],
        [*train, *SMALL],
        ["export", "--run", run, "--data", data, "--out", model, "--credit", "my controller"],
        ["evaluate", "--bundle", model, "--task", "velocity", "--goals", "1"],
    )
    for line in lines:
        assert main([str(word) for word in line]) == 0, capsys.readouterr().err
    assert json.loads((model / DESCRIPTION).read_text())["provenance"]["credit"] == "my controller"
    with simulated_robot("go2", {"bundle": str(model), "lockstep": "true"}) as robot:
        assert "z" in robot.prompt("reward(torso_vel[0])")
        assert len(robot.run(0.2)) == 10
