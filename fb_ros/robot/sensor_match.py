"""Bringing together what a robot's topics say of one instant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_state import RobotState


class SensorMatch:
    """Joins the newest messages of several topics where their stamps agree."""

    def __init__(self, topics: Sequence[str], tolerance: float = 0.0) -> None:
        """`topics` are those that a state needs, `joint_states` among them; their stamps may
        differ by `tolerance` seconds."""
        self._tolerance = round(tolerance * 1e9)
        self._parts: dict[str, tuple[int, Mapping[str, Any]] | None] = dict.fromkeys(topics)

    def add_joints(
        self, stamp: int, names: Sequence[str], position: np.ndarray, velocity: np.ndarray
    ) -> tuple[RobotState, int] | None:
        """Takes in joint states (rad, rad/s) of `stamp` (ns); returns as `add`."""
        if not len(names) == len(position) == len(velocity):
            raise FbRosError(
                f"joint_states has {len(names)} names, {len(position)} positions and "
                f"{len(velocity)} velocities, expected as many of each"
            )
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if list(names).count(name) > 1})
            raise FbRosError(f"joint_states names {', '.join(twice)} more than once")
        part = {"joint_names": tuple(names), "joint_position": position}
        return self.add("joint_states", stamp, part | {"joint_velocity": velocity})

    def add(
        self, topic: str, stamp: int, part: Mapping[str, Any]
    ) -> tuple[RobotState, int] | None:
        """Takes in fields of `RobotState` that `topic` carried at `stamp` (ns).

        Returns the state and its stamp, if it is complete with it.
        """
        if topic not in self._parts:
            return None
        self._parts[topic] = (stamp, part)
        known = [entry for entry in self._parts.values() if entry is not None]
        stamps = [entry[0] for entry in known]
        if len(known) < len(self._parts) or max(stamps) - min(stamps) > self._tolerance:
            return None
        fields = {name: value for _, part in known for name, value in part.items()}
        return RobotState(**fields), max(stamps)
