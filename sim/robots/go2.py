"""The Unitree Go2: four legs of three joints, driven by position servos at 50 Hz."""

from __future__ import annotations

import mujoco
import numpy as np

from fb_ros.robot.field import Field
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.environment import Environment
from sim.robots.go2_model import FIGURES, build_go2
from sim.robots.torso_fields import torso_layouts

# The order of the controllers that walk on it.
LEGS = ("FR", "FL", "RR", "RL")
JOINTS = tuple(f"{leg}_{part}_joint" for leg in LEGS for part in ("hip", "thigh", "calf"))
STANCE = np.array([0.0, 0.8, -1.5] * len(LEGS))

# Range of each servo's target, hip, thigh and calf, rad. These servos are soft: a walking
# controller presses by asking for positions far beyond the joints' own ranges, so those do not
# limit commands. Cut at those ranges, the public controller walks at 0.49 m/s when asked for 1.0
# m/s; without the cut, at 0.90.
_LOW, _HIGH = (-1.4, -1.1, -4.4), (1.4, 2.7, 1.2)
# Initial states: joints away from the stance, rad, and tilt, rad.
_OFF, _INCLINED = 0.1, 0.1

# Mirror image: the index of each joint's image, and the joints (hips) whose sign flips.
_IMAGE = np.array([3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8])
_SIGN = np.array([-1.0, 1.0, 1.0] * len(LEGS))

_OBSERVED, _FEATURES = torso_layouts(JOINTS)
_LAST_COMMAND = Field(
    name="last_command",
    source="last_command",
    joints=JOINTS,
    unit="rad",
    description="the command before: a walking robot that does not see it does not set off",
)

SPEC = RobotSpec(
    name="go2",
    observation=(*_OBSERVED, _LAST_COMMAND),
    features=_FEATURES,
    action_joints=JOINTS,
    action_interface="position",
    action_low=_LOW * len(LEGS),
    action_high=_HIGH * len(LEGS),
    ctrl_dt=0.02,
    goal_feature="torso_pos",
    velocity_features=("torso_vel", "torso_ang_vel"),
    # As closely as a walking torso, which sways, keeps them: vx, vy, vz, then the angular rates.
    velocity_widths=(0.12, 0.12, 0.3, 1.0, 1.0, 0.3),
    posture_features=("torso_up", "torso_height"),
    posture=(0.0, 0.0, 1.0, 0.31),
    posture_widths=(0.12, 0.12, 0.1, 0.04),
    fallen_below=0.5,
    goal_low=(-3.0, -3.0, 0.2),
    goal_high=(3.0, 3.0, 0.4),
    goal_radius=0.3,
)


class Go2(Environment):
    """Starts on its feet with any heading; no benchmark starts it elsewhere."""

    confined = False

    def __init__(self) -> None:
        model = build_go2()
        super().__init__(
            spec=SPEC,
            model=model,
            data=mujoco.MjData(model),
            joint_names={name: name for name in JOINTS},
            actuators=JOINTS,
            base_body="base",
        )
        self._feet = [
            index
            for index in range(model.ngeom)
            if model.geom_condim[index] == FIGURES["contacts"]["foot"]["condim"]
        ]

    def mirrored(self, physics: np.ndarray, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mirrors left for right, across the vertical plane of the x axis."""
        self._require_physics(physics)
        image = physics.copy()
        speeds = self.model.nq
        # The sign flips for position and velocity along y, and for the parts about x and z of a
        # quaternion (w, x, y, z) and of an angular velocity.
        image[:, [1, 4, 6, speeds + 1, speeds + 3, speeds + 5]] *= -1.0
        for places in (self.qpos_index, speeds + self.qvel_index):
            image[:, places] = physics[:, places[_IMAGE]] * _SIGN
        return image, actions[:, _IMAGE] * _SIGN

    def reset(self, rng: np.random.RandomState) -> None:
        """Sets the robot down near the stance, with its servos at rest there."""
        data, model = self.data, self.model
        mujoco.mj_resetData(model, data)
        heading = rng.uniform(-np.pi, np.pi)
        roll, pitch = rng.uniform(-_INCLINED, _INCLINED, 2)
        turn = np.array([np.cos(heading / 2), roll / 2, pitch / 2, np.sin(heading / 2)])
        data.qpos[3:7] = turn / np.linalg.norm(turn)
        data.qpos[self.qpos_index] = STANCE + rng.uniform(-_OFF, _OFF, len(JOINTS))
        mujoco.mj_kinematics(model, data)
        lowest = min(data.geom_xpos[foot, 2] - model.geom_size[foot, 0] for foot in self._feet)
        data.qpos[2] -= lowest
        data.ctrl[self._ctrl_index] = data.qpos[self.qpos_index]
        mujoco.mj_forward(model, data)
        self._poses.update(data)
