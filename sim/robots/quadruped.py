"""dm_control's quadruped: four legs of four joints, driven by position servos."""

from __future__ import annotations

from dm_control.suite import quadruped

from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.suite_robot import SuiteRobot
from sim.robots.torso_fields import torso_layouts

_LEGS = ("front_left", "front_right", "back_right", "back_left")
JOINTS = tuple(f"{part}_{leg}" for leg in _LEGS for part in ("yaw", "pitch", "knee", "ankle"))
# One servo turns the leg, one lifts it, one extends it: tendons move knee and ankle together.
SERVOS = tuple(f"{motion}_{leg}" for leg in _LEGS for motion in ("yaw", "lift", "extend"))
_LOW, _HIGH = (-1.0, -1.0, -0.8), (1.0, 1.1, 0.8)
_OBSERVATION, _FEATURES = torso_layouts(JOINTS, SERVOS)

SPEC = RobotSpec(
    name="quadruped",
    observation=_OBSERVATION,
    features=_FEATURES,
    action_joints=SERVOS,
    action_interface="position",
    action_low=_LOW * len(_LEGS),
    action_high=_HIGH * len(_LEGS),
    ctrl_dt=0.02,
    goal_feature="torso_pos",
    velocity_features=("torso_vel", "torso_ang_vel"),
    goal_low=(-3.0, -3.0, 0.3),
    goal_high=(3.0, 3.0, 1.0),
    goal_radius=0.3,
)


class Quadruped(SuiteRobot):
    """Starts in any orientation, just above the ground."""

    def __init__(self) -> None:
        super().__init__(
            spec=SPEC,
            physics=quadruped.walk().physics,
            joints=JOINTS,
            actuators=SERVOS,
            task=lambda rng: quadruped.Move(desired_speed=0.0, random=rng),
        )
