"""dm_control's Jaco arm and hand in its reach workspace."""

from __future__ import annotations

import numpy as np
from dm_control import mjcf
from dm_control.composer import EpisodeInitializationError, initializers
from dm_control.composer.variation import distributions
from dm_control.entities.manipulators import kinova
from dm_control.manipulation.shared import arenas, cameras, constants, robots, workspaces

from fb_ros.robot.field import Field
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.environment import Environment

# The box of dm_control's reach task, which draws the hand's start and the goals from it.
WORKSPACE_LOW = (-0.2, -0.2, 0.02)
WORKSPACE_HIGH = (0.2, 0.2, 0.4)

ARM_JOINTS = tuple(f"joint_{i}" for i in range(1, 7))
FINGER_JOINTS = tuple(f"finger_{i}" for i in range(1, 4))
# Limits of dm_control's model, which cites Kinova's data sheet: 36 deg/s for the three large
# joints, 48 deg/s for the three small ones, 5 rad/s for the fingers.
_LARGE, _SMALL, _FINGER = float(np.deg2rad(36.0)), float(np.deg2rad(48.0)), 5.0
_LIMITS = (_LARGE,) * 3 + (_SMALL,) * 3 + (_FINGER,) * 3
# A command may take a joint from rest to its largest speed in this time.
_RAMP_SECONDS = 0.1
# Ranges of dm_control's model. Joints 1 and 4 to 6 turn without limit; fingers go from open to
# closed.
_FINGER_OPEN, _FINGER_CLOSED = 0.15, 1.35
_JOINT_LOW = (None, float(np.deg2rad(47.0)), float(np.deg2rad(19.0)), None, None, None)
_JOINT_HIGH = (None, float(np.deg2rad(313.0)), float(np.deg2rad(341.0)), None, None, None)

_TCP_POS = Field(
    name="tcp_pos",
    source="tcp_position",
    unit="m",
    description="position of the point between the fingers, world frame",
)
_TCP_AXIS = Field(
    name="tcp_axis",
    source="tcp_orientation",
    encoding="z_axis",
    description="unit vector along the hand, world frame",
)
_JOINT_VEL = Field(
    name="joint_vel",
    source="joint_velocity",
    joints=ARM_JOINTS,
    unit="rad/s",
    description="velocities of the arm's joints",
)

SPEC = RobotSpec(
    name="jaco",
    observation=(
        Field(
            name="joint_angles",
            source="joint_position",
            encoding="sin_cos",
            joints=ARM_JOINTS,
            description="sines and cosines of the arm's joint angles, most of them unlimited",
        ),
        Field(
            name="finger_pos",
            source="joint_position",
            joints=FINGER_JOINTS,
            unit="rad",
            description="finger joint positions",
        ),
        _JOINT_VEL,
        _TCP_POS,
        _TCP_AXIS,
    ),
    features=(
        _TCP_POS,
        _TCP_AXIS,
        Field(
            name="finger_opening",
            source="joint_position",
            encoding="opening",
            joints=FINGER_JOINTS,
            low=_FINGER_OPEN,
            high=_FINGER_CLOSED,
            description="0 closed to 1 open",
        ),
        Field(
            name="joint_pos",
            source="joint_position",
            joints=ARM_JOINTS,
            unit="rad",
            description="angles of the arm's joints",
        ),
        _JOINT_VEL,
    ),
    action_joints=ARM_JOINTS + FINGER_JOINTS,
    action_interface="velocity",
    action_low=tuple(-limit for limit in _LIMITS),
    action_high=_LIMITS,
    ctrl_dt=constants.CONTROL_TIMESTEP,
    joint_low=_JOINT_LOW + (_FINGER_OPEN,) * 3,
    joint_high=_JOINT_HIGH + (_FINGER_CLOSED,) * 3,
    velocity_limit=_LIMITS,
    acceleration_limit=tuple(limit / _RAMP_SECONDS for limit in _LIMITS),
    goal_feature="tcp_pos",
    goal_low=WORKSPACE_LOW,
    goal_high=WORKSPACE_HIGH,
    goal_radius=0.05,
)


class Jaco(Environment):
    """The arm on its table; the hand points down at the start of an episode."""

    def __init__(self) -> None:
        arena = arenas.Standard()
        arm = kinova.JacoArm()
        hand = kinova.JacoHand(use_pinch_site_as_tcp=True)
        arm.attach(hand)
        arena.attach_offset(arm, offset=robots.ARM_OFFSET)
        arena.mjcf_model.worldbody.add("camera", **cameras.FRONT_CLOSE._asdict())
        self._hand = hand
        self._physics = mjcf.Physics.from_mjcf_model(arena.mjcf_model)
        self._initializer = initializers.ToolCenterPointInitializer(
            hand,
            arm,
            position=distributions.Uniform(WORKSPACE_LOW, WORKSPACE_HIGH),
            quaternion=workspaces.DOWN_QUATERNION,
        )
        names = {name: f"jaco_arm/{name}" for name in ARM_JOINTS}
        names |= {name: f"jaco_arm/jaco_hand/{name}" for name in FINGER_JOINTS}
        super().__init__(
            spec=SPEC,
            model=self._physics.model.ptr,
            data=self._physics.data.ptr,
            joint_names=names,
            actuators=tuple(names.values()),  # dm_control names an actuator after its joint.
            tcp_site="jaco_arm/jaco_hand/pinchsite",
        )

    def reset(self, rng: np.random.RandomState) -> None:
        """Draws fingers and hand as dm_control's reach task does; a failed draw is repeated."""
        while True:
            with self._physics.reset_context():
                self._hand.set_grasp(self._physics, close_factors=rng.uniform())
                try:
                    self._initializer(self._physics, rng)
                except EpisodeInitializationError:
                    continue
            return
