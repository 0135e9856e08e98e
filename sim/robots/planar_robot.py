"""dm_control's planar robots: a torso in a vertical plane, legs with a motor at each joint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.suite_robot import SuiteRobot
from sim.robots.torso_fields import torso_layouts


def planar_spec(
    *, name: str, gears: Mapping[str, float], ctrl_dt: float, heights: tuple[float, float]
) -> RobotSpec:
    """The description of a planar robot.

    `gears` are the motors' in dm_control's model, by joint: N m at a control of 1. `ctrl_dt` is in
    seconds; `heights` are the lowest and the highest goal of the torso, m.
    """
    joints, torques = tuple(gears), tuple(gears.values())
    observation, features = torso_layouts(joints)
    return RobotSpec(
        name=name,
        observation=observation,
        features=features,
        action_joints=joints,
        action_interface="effort",
        action_low=tuple(-torque for torque in torques),
        action_high=torques,
        ctrl_dt=ctrl_dt,
        goal_feature="torso_pos",
        velocity_features=("torso_vel", "torso_ang_vel"),
        goal_low=(-5.0, 0.0, heights[0]),
        goal_high=(5.0, 0.0, heights[1]),
        goal_radius=0.3,
    )


class PlanarRobot(SuiteRobot):
    """A robot whose description `planar_spec` makes."""

    def __init__(
        self, *, spec: RobotSpec, physics: Any, task: Callable[[np.random.RandomState], Any]
    ) -> None:
        """`task` makes one of the domain's tasks with a generator."""
        super().__init__(
            spec=spec,
            physics=physics,
            joints=spec.action_joints,
            actuators=spec.action_joints,  # dm_control names a motor after its joint.
            task=task,
            command_gains=spec.action_high,
        )
