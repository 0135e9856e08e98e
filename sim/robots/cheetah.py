"""dm_control's cheetah: a planar runner with a leg in front and one behind."""

from __future__ import annotations

from dm_control.suite import cheetah

from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.suite_robot import SuiteRobot
from sim.robots.torso_fields import torso_layouts

JOINTS = ("bthigh", "bshin", "bfoot", "fthigh", "fshin", "ffoot")
# The motors' gears in dm_control's model: N m at a control of 1.
_GEARS = (120.0, 90.0, 60.0, 90.0, 60.0, 30.0)
_OBSERVATION, _FEATURES = torso_layouts(JOINTS)

SPEC = RobotSpec(
    name="cheetah",
    observation=_OBSERVATION,
    features=_FEATURES,
    action_joints=JOINTS,
    action_interface="effort",
    action_low=tuple(-gear for gear in _GEARS),
    action_high=_GEARS,
    ctrl_dt=0.01,
    goal_feature="torso_pos",
    velocity_features=("torso_vel", "torso_ang_vel"),
    goal_low=(-5.0, 0.0, 0.2),
    goal_high=(5.0, 0.0, 1.0),
    goal_radius=0.3,
)


class Cheetah(SuiteRobot):
    """Starts with random joint angles, after two seconds in which it settles."""

    def __init__(self) -> None:
        super().__init__(
            spec=SPEC,
            physics=cheetah.run().physics,
            joints=JOINTS,
            actuators=JOINTS,  # dm_control names a motor after its joint.
            task=lambda rng: cheetah.Cheetah(random=rng),
            command_gains=_GEARS,
        )
