"""Goals: the encoding of the reward that is a Dirac where features have given values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.robot.wording import point_text
from fb_ros.task_inference.asked_blocks import goal_blocks
from fb_ros.task_inference.nearest_state import nearest_state
from fb_ros.task_inference.task_encoder import TaskEncoder


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoalEncoding:
    """The encoding of a goal, and how well the data cover it."""

    z: np.ndarray
    """`(z_dim,)`, float32."""
    outside: float
    """Distance from the goal to the nearest reference state, in `unit`."""
    unit: str
    """Unit of the goal feature, or `std` where several features have no common one."""
    instead: np.ndarray | None
    """The nearest state, if the goal was so far outside the data that this one was encoded."""


def encode_goal(
    bundle: Bundle, encoder: TaskEncoder, goals: Mapping[str, np.ndarray]
) -> GoalEncoding:
    """Encodes `goals`, values by the names of features.

    A goal further from the data than the goal radius is replaced by the nearest reference state:
    `B` means nothing where it was never trained, and the robot is known to get no nearer.
    """
    robot = bundle.robot
    for name, value in goals.items():
        if name not in encoder.columns:
            raise FbRosError(
                f"this model's B does not read {name}; it reads {', '.join(encoder.columns)}"
            )
        size = robot.feature(name).size
        if value.shape != (size,):
            raise FbRosError(f"the goal has {value.size} numbers, {name} has {size}")
        if not np.all(np.isfinite(value)):
            raise FbRosError(f"goal {point_text(value)} is not finite; publish finite numbers")
    columns = np.concatenate([encoder.columns[name] for name in goals])
    goal = np.concatenate(list(goals.values())).astype(np.float64)
    seen = encoder.reference[:, columns].astype(np.float64)
    if list(goals) == [robot.goal_feature]:
        scale, limit = np.ones(len(goal)), robot.goal_radius
        unit = robot.feature(robot.goal_feature).unit
    else:
        scale, limit, unit = encoder.spread[columns], 1.0, "std"
    order, nearest, outside = nearest_state(seen, goal, scale)
    instead = None if outside <= limit else seen[nearest]

    asked, count = goal_blocks(bundle.block_features, goals)
    # Copies of one or several states, with the goal's values in place of their own.
    around = [nearest] if count == 1 else np.argsort(order, kind="stable")[:count]
    states = encoder.reference[around]
    states[:, columns] = goal if instead is None else instead
    z = encoder.encode(states, np.ones(len(states)), asked).z
    return GoalEncoding(z=z, outside=outside, unit=unit, instead=instead)
