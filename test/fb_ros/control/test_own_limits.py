"""The robot's own limits: a model may tighten them and never widen them."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fb_ros.control.limits import Limits, limits_of
from fb_ros.control.own_limits import require_within
from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field
from fb_ros.robot.robot_spec import RobotSpec

ROBOT = RobotSpec(
    name="cart",
    observation=(Field(name="x", source="joint_position", joints=("rail", "hook")),),
    features=(Field(name="tcp_pos", source="tcp_position", unit="m"),),
    action_joints=("rail", "hook"),
    action_interface="velocity",
    action_low=(-1.0, -2.0),
    action_high=(1.0, 2.0),
    ctrl_dt=0.04,
    joint_low=(-3.0, None),
    joint_high=(3.0, None),
    velocity_limit=(1.0, 2.0),
    acceleration_limit=(10.0, 20.0),
    goal_low=(0.0, 0.0, 0.0),
    goal_high=(1.0, 1.0, 1.0),
)
NONE = Limits(
    **{
        field.name: np.full(2, -np.inf if field.name.endswith("_low") else np.inf)
        for field in dataclasses.fields(Limits)
    }
)
NAMES = [field.name for field in dataclasses.fields(Limits)]


def test_without_limits_of_its_own_a_robot_takes_every_model() -> None:
    require_within(ROBOT, NONE)


def test_a_model_may_use_all_that_the_robot_allows_or_less() -> None:
    asked = limits_of(ROBOT)
    require_within(ROBOT, asked)
    for name in NAMES:
        require_within(ROBOT, dataclasses.replace(NONE, **{name: 1.5 * getattr(asked, name)}))


@pytest.mark.parametrize("name", NAMES)
def test_a_model_that_asks_for_more_is_refused_by_joint_and_limit(name: str) -> None:
    own = dataclasses.replace(
        NONE, **{name: np.array([0.5, 1.0]) * getattr(limits_of(ROBOT), name)}
    )
    with pytest.raises(FbRosError, match=f"rail .*limits.{name}"):
        require_within(ROBOT, own)


def test_a_model_without_a_limit_is_refused_where_the_robot_has_one() -> None:
    own = dataclasses.replace(NONE, position_high=np.array([np.inf, 1.0]))
    with pytest.raises(FbRosError, match="hook position high inf, the robot's own limit is 1"):
        require_within(ROBOT, own)
