"""The command that makes a robot stand still."""

from __future__ import annotations

import numpy as np

from fb_ros.robot_spec import RobotSpec
from fb_ros.robot_state import RobotState


def stop_command(robot: RobotSpec, state: RobotState | None) -> np.ndarray | None:
    """Zeros for velocity and effort, the measured position for position control, `(act_dim,)`.

    None where position control has no measurement to hold: any position would be a motion.
    """
    if robot.action_interface != "position":
        return np.zeros(robot.act_dim)
    if state is None:
        return None
    return state.joint_position[state.joint_indices(robot.action_joints)]
