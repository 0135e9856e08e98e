"""dm_control's point mass: the smallest robot, for trying things in seconds."""

from __future__ import annotations

import numpy as np
from dm_control.suite import point_mass

from fb_ros.robot.field import Field
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.environment import Environment

JOINTS = ("root_x", "root_y")
# Half the side of the plane, and where the joints end, m.
_REACH, _STOP = 0.25, 0.29
# The model's motors turn a control in [-1, 1] into at most 0.1 N (gear 0.1).
_GEAR = 0.1

_TCP_POS = Field(
    name="tcp_pos", source="tcp_position", unit="m", description="position of the mass"
)
_VELOCITY = Field(
    name="joint_vel",
    source="joint_velocity",
    joints=JOINTS,
    unit="m/s",
    description="velocity of the mass",
)

SPEC = RobotSpec(
    name="point_mass",
    observation=(
        _TCP_POS,
        _VELOCITY,
    ),
    features=(_TCP_POS, _VELOCITY),
    action_joints=JOINTS,
    action_interface="effort",
    action_low=(-_GEAR, -_GEAR),
    action_high=(_GEAR, _GEAR),
    # The period is long, since the mass is slow: it moves at most 1 cm in one.
    ctrl_dt=0.1,
    joint_low=(-_STOP, -_STOP),
    joint_high=(_STOP, _STOP),
    goal_feature="tcp_pos",
    velocity_features=("joint_vel",),
    goal_low=(-_REACH, -_REACH, 0.01),
    goal_high=(_REACH, _REACH, 0.01),
    goal_radius=0.05,
)


class PointMass(Environment):
    """A mass on a bounded plane, pushed along x and y."""

    def __init__(self) -> None:
        self._physics = point_mass.easy().physics
        super().__init__(
            spec=SPEC,
            model=self._physics.model.ptr,
            data=self._physics.data.ptr,
            joint_names={name: name for name in JOINTS},
            actuators=("t1", "t2"),
            command_gain=1.0 / _GEAR,
            tcp_body="pointmass",
        )

    def reset(self, rng: np.random.RandomState) -> None:
        """Puts the mass at rest anywhere on the plane."""
        position = rng.uniform(-_REACH, _REACH, size=2)
        self.set_physics_state(np.concatenate([position, np.zeros(2)]))
