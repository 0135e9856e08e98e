"""Servos that move several joints at once, through tendons."""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np

from fb_ros.errors import FbRosError


def servo_coupling(
    model: mujoco.MjModel, actuators: Sequence[int], joints: Sequence[int]
) -> np.ndarray:
    """Position of each servo per position of each joint, `(actuators, joints)`.

    The `actuators` pull fixed tendons, whose length is a weighted sum of the `joints` along them
    (MuJoCo's XML reference, tendon/fixed). Refuses other actuators.
    """
    columns = {joint: i for i, joint in enumerate(joints)}
    coupling = np.zeros((len(actuators), len(joints)))
    for row, actuator in zip(coupling, actuators, strict=True):
        if model.actuator_trntype[actuator] != mujoco.mjtTrn.mjTRN_TENDON:
            raise FbRosError(
                f"actuator {model.actuator(actuator).name} drives neither a joint that the robot "
                "tells nor a tendon"
            )
        tendon = model.actuator_trnid[actuator, 0]
        start = model.tendon_adr[tendon]
        for place in range(start, start + model.tendon_num[tendon]):
            joint = model.wrap_objid[place]
            if model.wrap_type[place] != mujoco.mjtWrap.mjWRAP_JOINT or joint not in columns:
                raise FbRosError(
                    f"tendon {model.tendon(tendon).name} does not run along joints that the robot "
                    "tells alone"
                )
            row[columns[joint]] += model.actuator_gear[actuator, 0] * model.wrap_prm[place]
    return coupling
