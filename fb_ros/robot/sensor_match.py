"""Joins the messages of a robot's topics that belong to one instant."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_state import RobotState


class SensorMatch:
    """Joins the newest messages of several topics where their stamps agree."""

    def __init__(
        self, topics: Sequence[str], tolerance: float = 0.0, joints: Collection[str] = ()
    ) -> None:
        """`topics` are those that a state needs, `joint_states` among them.

        Their stamps may differ by `tolerance` seconds. If a message lacks some of `joints`, those
        of another part of the robot, such as a hand beside an arm, are joined to it.
        """
        self._tolerance = round(tolerance * 1e9)
        self._joints = frozenset(joints)
        # The newest message of each part of the joints, and its stamp.
        self._joint_parts: dict[frozenset[str], tuple[int, Mapping[str, Any]]] = {}
        self._parts: dict[str, tuple[int, Mapping[str, Any]] | None] = dict.fromkeys(topics)

    def add_joints(
        self, stamp: int, names: Sequence[str], position: np.ndarray, velocity: np.ndarray
    ) -> tuple[RobotState, int] | None:
        """Adds joint states (rad, rad/s) of `stamp` (ns); returns the same as `add`."""
        if not len(names) == len(position) == len(velocity):
            raise FbRosError(
                f"joint_states has {len(names)} names, {len(position)} positions and "
                f"{len(velocity)} velocities, expected as many of each"
            )
        if len(set(names)) != len(names):
            twice = sorted({name for name in names if list(names).count(name) > 1})
            raise FbRosError(f"joint_states names {', '.join(twice)} more than once")
        part = {
            "joint_names": tuple(names),
            "joint_position": position,
            "joint_velocity": velocity,
        }
        if self._joints <= set(names):
            return self.add("joint_states", stamp, part)
        return self._add_part_of_joints(stamp, part)

    def _add_part_of_joints(
        self, stamp: int, part: Mapping[str, Any]
    ) -> tuple[RobotState, int] | None:
        """Joins the joints of one message to those of the others, once all of them have come."""
        names = frozenset(part["joint_names"])
        self._joint_parts = {
            known: value for known, value in self._joint_parts.items() if not known & names
        }
        others = list(self._joint_parts.values())
        self._joint_parts[names] = (stamp, part)
        if not self._joints <= frozenset().union(*self._joint_parts) and others:
            return None
        stamps = [stamp, *(one for one, _ in others)]
        if max(stamps) - min(stamps) > self._tolerance:
            return None
        parts = [part, *(one for _, one in others)]
        joined: dict[str, Any] = {
            "joint_names": tuple(name for one in parts for name in one["joint_names"])
        }
        for kind in ("joint_position", "joint_velocity"):
            joined[kind] = np.concatenate([one[kind] for one in parts])
        return self.add("joint_states", max(stamps), joined)

    def why_waiting(self) -> str:
        """Names the obstacle to a state: a silent topic, or stamps that do not agree."""
        silent = [topic for topic, entry in self._parts.items() if entry is None]
        stamps = {topic: entry[0] for topic, entry in self._parts.items() if entry is not None}
        if "joint_states" in silent and self._joint_parts:
            silent.remove("joint_states")
            parts = {
                ", ".join(sorted(names)): one for names, (one, _) in self._joint_parts.items()
            }
            lacking = sorted(self._joints - frozenset().union(*self._joint_parts))
            if lacking:
                return f"joint_states lacks {', '.join(lacking)}"
            stamps |= {f"joint_states of {names}": one for names, one in parts.items()}
        if silent:
            return f"nothing on {' and '.join(silent)}"
        first, last = min(stamps, key=stamps.__getitem__), max(stamps, key=stamps.__getitem__)
        apart = stamps[last] - stamps[first]
        if apart <= self._tolerance:
            return f"nothing new on {' and '.join(self._parts)}"
        return (
            f"{first} and {last} arrive, and their stamps of {stamps[first] * 1e-9:.3f} s and "
            f"{stamps[last] * 1e-9:.3f} s differ by {apart * 1e-6:.3g} ms; at most "
            f"{self._tolerance * 1e-6:.3g} ms are taken"
        )

    def add(
        self, topic: str, stamp: int, part: Mapping[str, Any]
    ) -> tuple[RobotState, int] | None:
        """Adds fields of `RobotState` that `topic` carried at `stamp` (ns).

        Returns the state and its stamp if these fields complete it, else None.
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
