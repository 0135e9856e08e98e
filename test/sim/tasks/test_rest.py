"""Turns of joints after a goal are those that were commanded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from sim.robots.registry import make_environment
from sim.tasks.rest import joint_turns, rest_figures
from sim.tasks.tasks import REACH, make_task


def figures_of(turning: float) -> dict[str, Any]:
    """With joint 1 turning at that rate, rad/s, there for 20 s and back for the last 10."""
    environment = make_environment("jaco")
    spec = environment.spec
    command, step = np.zeros(spec.act_dim), 0

    def command_of(_: object) -> np.ndarray:
        nonlocal step
        command[0] = turning if step < 500 else -turning
        step += 1
        return command

    task = make_task(REACH, spec)
    turns = joint_turns(environment, task, lambda goal: command_of, episodes=1, seed=0)
    return rest_figures(list(turns), environment.robot_state().joint_names)


def test_an_arm_that_is_told_to_stand_still_turns_no_joint_but_the_shoulder_that_sags() -> None:
    turns = {row["joint"]: row["largest_turn_rad"] for row in figures_of(0.0)["joints"]}
    assert turns.pop("joint_2") < 0.3
    assert max(turns.values()) < 0.02


def test_the_largest_turn_is_that_of_the_joint_that_turned_however_it_came_back() -> None:
    figures = figures_of(0.1)
    assert figures["largest_turn_rad"] == pytest.approx(1.0, abs=0.05)
    assert figures["median_turn_rad"] == figures["largest_turn_rad"]
    assert figures["largest_net_turn_rad"] < 0.3
    assert figures["joints"][0]["largest_turn_rad"] == figures["largest_turn_rad"]
