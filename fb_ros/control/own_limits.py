"""The robot's own limits, which a model may tighten but never widen."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.control.limits import Limits, limits_of
from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec

# People round by about this much when they copy a limit.
_TOLERANCE = 1e-6


def require_within(robot: RobotSpec, own: Limits) -> None:
    """Refuses a model that may ask more of a joint than the robot's `own` limits allow.

    A model without a limit for a joint may ask anything of it, so such a model is refused, too,
    where the robot has its own limit.
    """
    asked = limits_of(robot)
    for field in dataclasses.fields(Limits):
        may, can = getattr(asked, field.name), getattr(own, field.name)
        room = _TOLERANCE * np.where(np.isfinite(can), np.abs(can), 0.0)
        beyond = may < can - room if field.name.endswith("_low") else may > can + room
        for i in np.flatnonzero(beyond):
            raise FbRosError(
                f"the model may ask of {robot.action_joints[i]} {field.name.replace('_', ' ')} "
                f"{may[i]:g}, the robot's own limit is {can[i]:g} (parameter "
                f"limits.{field.name}); export a model with tighter limits"
            )
