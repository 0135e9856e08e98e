"""The command that makes a robot stand still."""

from __future__ import annotations

import numpy as np

from fb_ros.control.joint_reading import JointReading
from fb_ros.robot.robot_spec import RobotSpec


def stop_command(robot: RobotSpec, reading: JointReading | None) -> np.ndarray | None:
    """Zeros for velocity and effort, the measured position for position control, `(act_dim,)`.

    None where position control has no measurement to hold: any position would be a motion.
    """
    if robot.action_interface != "position":
        return np.zeros(robot.act_dim)
    if reading is None or not np.all(np.isfinite(reading.position)):
        return None
    return reading.position
