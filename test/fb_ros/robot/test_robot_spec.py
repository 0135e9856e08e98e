"""The robot's description: JSON and back, commands, refusals."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field
from fb_ros.robot.robot_spec import RobotSpec

SPEC = RobotSpec(
    name="cart",
    observation=(Field(name="x", source="joint_position", joints=("rail",)),),
    features=(Field(name="tcp_pos", source="tcp_position", unit="m"),),
    action_joints=("rail",),
    action_interface="velocity",
    action_low=(-1.0,),
    action_high=(3.0,),
    ctrl_dt=0.04,
    goal_low=(0.0, 0.0, 0.0),
    goal_high=(1.0, 1.0, 1.0),
)


def test_json_brings_the_description_back() -> None:
    assert RobotSpec.from_json(json.loads(json.dumps(SPEC.to_json()))) == SPEC


def test_actions_span_the_commands() -> None:
    actions = np.array([[-1.0], [0.0], [1.0], [9.0]])
    np.testing.assert_allclose(SPEC.command_from_action(actions), [[-1.0], [1.0], [3.0], [3.0]])


@pytest.mark.parametrize(
    "wrong",
    [
        {"action_low": (5.0,)},
        {"action_low": (-1.0, -1.0)},
        {"ctrl_dt": 0.0},
        {"goal_low": (0.0,)},
        {"goal_feature": "smell"},
        {"action_interface": "warp"},
        {"action_high": (float("nan"),)},
        {"ctrl_dt": float("inf")},
        {"goal_radius": "wide"},
        {"goal_radius": 0.0},
        {"ctrl_dt": 9e-4},
        {"ctrl_dt": 11.0},
        {"ctrl_dt": True},
        {"ctrl_dt": 10**400},
        {"action_high": ("3",)},
        {"action_high": (10**400,)},
        {"joint_low": ("0",)},
        {"velocity_limit": (float("inf"),)},
        {"action_joints": ("../rail",)},
        {"action_joints": ("rail", "rail")},
        {"action_joints": "rail"},
        {"observation": (1,)},
        {"observation": SPEC.observation * 2},
        {"frame": "w" * 2000},
        {"frame": "wor\nld"},
    ],
)
def test_a_description_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(FbRosError, match="robot cart"):
        dataclasses.replace(SPEC, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["../../x", "", "a b", "a/b", "é", "a" * 65, 7, None, "a\n"])
def test_names_are_plain(name: object) -> None:
    with pytest.raises(FbRosError, match="expected a name of letters, digits, _ and -"):
        dataclasses.replace(SPEC, name=name)  # type: ignore[arg-type]
    with pytest.raises(FbRosError, match="expected a name of letters, digits, _ and -"):
        dataclasses.replace(SPEC.features[0], name=name)  # type: ignore[arg-type]


def test_lists_are_bounded() -> None:
    many = tuple(f"j{i}" for i in range(257))
    with pytest.raises(FbRosError, match="257 entries, at most 256"):
        dataclasses.replace(SPEC.observation[0], joints=many)


@pytest.mark.parametrize("wrong", [{}, {"name": 1}, {**SPEC.to_json(), "extra": 1}])
def test_garbled_json_is_refused_in_one_line(wrong: dict[str, object]) -> None:
    with pytest.raises(FbRosError, match="robot description") as refusal:
        RobotSpec.from_json(wrong)
    assert "\n" not in str(refusal.value)


def test_a_command_beyond_its_limits_is_clipped_only_as_an_action() -> None:
    commands = np.array([[-1.0], [1.0], [3.0], [5.0]])
    np.testing.assert_allclose(SPEC.unclipped_action(commands), [[-1.0], [0.0], [1.0], [2.0]])
    np.testing.assert_allclose(SPEC.action_from_command(commands), [[-1.0], [0.0], [1.0], [1.0]])
