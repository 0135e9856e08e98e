"""Poses and velocities of a robot's tool and torso, read out of MuJoCo."""

from __future__ import annotations

import mujoco
import numpy as np


class PoseReader:
    """Reads those fields of `RobotState` that are poses, from any data of one model."""

    def __init__(
        self, model: mujoco.MjModel, *, site: int | None, body: int | None, base: int | None
    ) -> None:
        """Takes ids in the model: the tool centre point's site or else its body, and the torso."""
        self._model, self._site, self._body, self._base = model, site, body, base

    def update(self, data: mujoco.MjData) -> None:
        """Computes the poses of `data` from its joints."""
        mujoco.mj_kinematics(self._model, data)
        if self._base is not None:
            mujoco.mj_comPos(self._model, data)
            mujoco.mj_comVel(self._model, data)

    def read(self, data: mujoco.MjData) -> dict[str, np.ndarray]:
        """The fields by name, SI units, quaternions w first; call `update` first."""
        poses: dict[str, np.ndarray] = {}
        if self._body is not None:
            tcp = data.site(self._site) if self._site is not None else data.body(self._body)
            poses["tcp_position"] = tcp.xpos.copy()
            poses["tcp_orientation"] = quaternion = np.empty(4)
            mujoco.mju_mat2Quat(quaternion, tcp.xmat)
        if self._base is not None:
            twist = np.empty(6)
            body = mujoco.mjtObj.mjOBJ_XBODY
            mujoco.mj_objectVelocity(self._model, data, body, self._base, twist, 1)
            poses["base_position"] = data.xpos[self._base].copy()
            poses["base_orientation"] = data.xquat[self._base].copy()
            poses["base_velocity"], poses["base_angular_velocity"] = twist[3:], twist[:3]
        return poses
