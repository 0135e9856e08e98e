"""dm_control's planar walker: two legs and a torso that stays in a vertical plane."""

from __future__ import annotations

from dm_control.suite import walker

from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.suite_robot import SuiteRobot
from sim.robots.torso_fields import torso_layouts

JOINTS = ("right_hip", "right_knee", "right_ankle", "left_hip", "left_knee", "left_ankle")
# The motors' gears in dm_control's model: N m at a control of 1.
_GEARS = (100.0, 50.0, 20.0, 100.0, 50.0, 20.0)
_OBSERVATION, _FEATURES = torso_layouts(JOINTS)

SPEC = RobotSpec(
    name="walker",
    observation=_OBSERVATION,
    features=_FEATURES,
    action_joints=JOINTS,
    action_interface="effort",
    action_low=tuple(-gear for gear in _GEARS),
    action_high=_GEARS,
    ctrl_dt=0.025,
    goal_feature="torso_pos",
    velocity_features=("torso_vel", "torso_ang_vel"),
    goal_low=(-5.0, 0.0, 0.3),
    goal_high=(5.0, 0.0, 1.4),
    goal_radius=0.3,
)


class Walker(SuiteRobot):
    """Starts with random joint angles, above the ground or in it, and falls."""

    def __init__(self) -> None:
        super().__init__(
            spec=SPEC,
            physics=walker.stand().physics,
            joints=JOINTS,
            actuators=JOINTS,  # dm_control names a motor after its joint.
            task=lambda rng: walker.PlanarWalker(move_speed=0, random=rng),
            command_gains=_GEARS,
        )
