"""The robot's own limits, which a model may tighten and never widen."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.control.limits import Limits, limits_of
from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec

# Tolerance for a limit that was rounded when it was copied.
_TOLERANCE = 1e-6


def require_within(robot: RobotSpec, own: Limits) -> None:
    """Refuses a model that may ask more of a joint than the robot's `own` limits allow.

    A joint that the model does not limit may be asked anything, so it is refused, too, where the
    robot has a limit of its own.
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
