"""Which topics of a bag hold what of a robot, as a person writes it in YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from fb_ros.errors import FbRosError
from fb_ros.robot.field import Source
from training.data.plain_yaml import read_yaml

# The command before is the action.
SOURCES: tuple[str, ...] = tuple(name for name in get_args(Source) if name != "last_command")
_WHOLE = "observation"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TopicField:
    """A part of a topic's messages that holds numbers."""

    topic: str
    """Name of the topic, as in the bag."""
    field: str
    """Path to the numbers within a message, such as `pose.position`."""
    names: str = ""
    """Path to the names that go with the numbers, such as `name` of a JointState."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class BagMapping:
    """Where a robot's state and its actions are in a bag."""

    state: Mapping[str, TopicField]
    """For each source that the robot's fields read (`joint_position`, `tcp_position`, …), or
    `observation` for the whole vector."""
    action: TopicField
    """Commands in physical units, in the robot's order."""
    joints: Mapping[str, str]
    """The bag's name of a joint, for those that it names otherwise than the robot does."""
    terminal: TopicField | None = None
    """A truth value; true ends an episode in a terminal state."""
    longest_gap: float | None = None
    """Seconds without a message on one of the topics after which an episode has ended; three
    control periods where it is not given."""


def read_mapping(path: Path) -> BagMapping:
    """Reads a mapping; refuses what it does not know, with the possible."""
    data = read_yaml(path)
    known = ("state", "action", "joints", "terminal", "longest_gap")
    if not isinstance(data, dict) or not {"state", "action"} <= set(data) <= set(known):
        raise FbRosError(
            f"{path} holds {', '.join(map(str, data)) if isinstance(data, dict) else data!r}; "
            f"expected state and action, and possibly {', '.join(known[2:])}"
        )
    state = data["state"]
    possible = (*SOURCES, _WHOLE)
    if not isinstance(state, dict) or not state or not set(state) <= set(possible):
        raise FbRosError(f"{path}: state is {state!r}; possible in it: {', '.join(possible)}")
    if _WHOLE in state and len(state) > 1:
        raise FbRosError(f"{path}: state has the whole {_WHOLE} and parts of it; choose one")
    joints = data.get("joints", {})
    if not isinstance(joints, dict) or not all(isinstance(name, str) for name in joints.values()):
        raise FbRosError(f"{path}: joints is {joints!r}, expected names of joints by name")
    gap = data.get("longest_gap")
    # YAML's `true` is a number to Python.
    number = isinstance(gap, (int, float)) and not isinstance(gap, bool)
    if gap is not None and not (number and gap > 0.0):
        raise FbRosError(f"{path}: longest_gap is {gap!r}, expected seconds above 0")
    return BagMapping(
        state={name: _topic_field(path, name, entry) for name, entry in state.items()},
        action=_topic_field(path, "action", data["action"]),
        joints=joints,
        terminal=_topic_field(path, "terminal", data["terminal"]) if "terminal" in data else None,
        longest_gap=None if gap is None else float(gap),
    )


def _topic_field(path: Path, name: str, entry: Any) -> TopicField:
    expected = {field.name for field in dataclasses.fields(TopicField)}
    if (
        not isinstance(entry, dict)
        or not {"topic", "field"} <= set(entry) <= expected
        or not all(isinstance(value, str) for value in entry.values())
    ):
        raise FbRosError(
            f"{path}: {name} is {entry!r}, expected a topic, a field and, for joints, names"
        )
    if name.startswith("joint_") and not entry.get("names"):
        raise FbRosError(f"{path}: {name} needs names, as joints are matched by name")
    return TopicField(**entry)
