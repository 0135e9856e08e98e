"""The mapping from a bag's topics to a robot's state, written by a person in YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args

from fb_ros.errors import FbRosError, shown
from fb_ros.robot.field import Source
from training.data.plain_yaml import read_yaml

# The previous command is the action, so it needs no topic of its own.
SOURCES: tuple[str, ...] = tuple(name for name in get_args(Source) if name != "last_command")
Times = Literal["auto", "header", "receive"]
_WHOLE = "observation"
# Sources that can be differences of another source, and sources that can be poses of a frame.
_DERIVABLE = {"joint_velocity": "joint_position"}
_FRAMED = ("tcp_position", "tcp_orientation", "base_position", "base_orientation")
_OPTIONS = ("joints", "terminal", "longest_gap", "times", "frame")


@dataclasses.dataclass(frozen=True, kw_only=True)
class TopicField:
    """A part of a topic's messages that holds numbers."""

    topics: tuple[str, ...]
    """Names of the topics in the bag; several if parts of a robot publish separately."""
    field: str
    """Path to the numbers within a message, such as `pose.position`."""
    names: str = ""
    """Path to the names of the numbers, such as `name` of a JointState."""

    @property
    def is_trajectory(self) -> bool:
        """Whether a message holds a sequence of points with due times."""
        return self.field.startswith("points.")


@dataclasses.dataclass(frozen=True, kw_only=True)
class BagMapping:
    """The places of a robot's state and its actions in a bag."""

    state: Mapping[str, TopicField]
    """For each source that the robot's fields read (`joint_position`, `tcp_position`, …), or
    `observation` for the whole vector."""
    action: TopicField
    """Commands in physical units, in the robot's order."""
    joints: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The bag's name of each joint that the robot names differently."""
    terminal: TopicField | None = None
    """A truth value; true ends an episode in a terminal state."""
    longest_gap: float | None = None
    """Seconds for which the newest message of a slow topic remains valid; if not given, each row
    needs its own message."""
    times: Times = "auto"
    """The source of instants: header stamps or times of receiving. `auto` uses stamps if every
    topic has them, and refuses a bag in which the two run at different rates."""
    frame: str = ""
    """The bag's name of the robot's own frame; empty if the names agree."""
    derived: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Sources computed as differences of another source from row to row, by source."""
    transforms: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Sources read from `/tf` and `/tf_static`: the frame whose pose each one is."""

    @property
    def sources(self) -> set[str]:
        """The sources that the mapping provides."""
        return {*self.state, *self.derived, *self.transforms}


def read_mapping(path: Path) -> BagMapping:
    """Reads a mapping; refuses unknown entries and lists the valid ones."""
    data = read_yaml(path)
    known = ("state", "action", *_OPTIONS)
    if not isinstance(data, dict) or not {"state", "action"} <= set(data) <= set(known):
        raise FbRosError(
            f"{path} holds {shown(list(data)) if isinstance(data, dict) else shown(data)}; "
            f"expected state and action, and possibly {', '.join(known[2:])}"
        )
    state = data["state"]
    possible = (*SOURCES, _WHOLE)
    if not isinstance(state, dict) or not state or not set(state) <= set(possible):
        raise FbRosError(f"{path}: state is {shown(state)}; possible in it: {', '.join(possible)}")
    if _WHOLE in state and len(state) > 1:
        raise FbRosError(f"{path}: state has the whole {_WHOLE} and parts of it; choose one")
    joints = data.get("joints", {})
    if not isinstance(joints, dict) or not all(isinstance(name, str) for name in joints.values()):
        raise FbRosError(f"{path}: joints is {shown(joints)}, expected names of joints by name")
    gap = data.get("longest_gap")
    # In Python, YAML's `true` is a number.
    number = isinstance(gap, (int, float)) and not isinstance(gap, bool)
    if gap is not None and not (number and gap > 0.0):
        raise FbRosError(f"{path}: longest_gap is {shown(gap)}, expected seconds above 0")
    times = data.get("times", "auto")
    if times not in get_args(Times):
        raise FbRosError(
            f"{path}: times is {shown(times)}, expected one of {', '.join(get_args(Times))}"
        )
    frame = data.get("frame", "")
    if not isinstance(frame, str):
        raise FbRosError(f"{path}: frame is {shown(frame)}, expected the name of a frame")
    derived = _options(path, state, "derived_from")
    for name, other in derived.items():
        if _DERIVABLE.get(name) != other or other not in state or other in derived:
            raise FbRosError(
                f"{path}: {name} is derived_from {other}; possible: joint_velocity from a "
                "joint_position that is in the state, too"
            )
    transforms = _options(path, state, "tf")
    for name in transforms:
        if name not in _FRAMED:
            raise FbRosError(f"{path}: {name} cannot be read from tf; {', '.join(_FRAMED)} can")
    return BagMapping(
        state={
            name: _topic_field(path, name, entry)
            for name, entry in state.items()
            if name not in derived and name not in transforms
        },
        action=_topic_field(path, "action", data["action"]),
        joints=joints,
        terminal=_topic_field(path, "terminal", data["terminal"]) if "terminal" in data else None,
        longest_gap=None if gap is None else float(gap),
        times=times,
        frame=frame,
        derived=derived,
        transforms=transforms,
    )


def _options(path: Path, state: Mapping[str, Any], key: str) -> dict[str, str]:
    """The entries of `state` that consist only of `key`, by source."""
    found = {
        name: entry[key]
        for name, entry in state.items()
        if isinstance(entry, dict) and set(entry) == {key}
    }
    for name, value in found.items():
        if not isinstance(value, str) or not value:
            raise FbRosError(f"{path}: {name}: {key} is {shown(value)}, expected a name")
    return found


def _topic_field(path: Path, name: str, entry: Any) -> TopicField:
    if (
        not isinstance(entry, dict)
        or not {"topic", "field"} <= set(entry) <= {"topic", "field", "names"}
        or not all(isinstance(entry.get(key, ""), str) for key in ("field", "names"))
        or not _is_topics(entry["topic"])
    ):
        raise FbRosError(
            f"{path}: {name} is {shown(entry)}, expected a topic, a field and, for joints, names"
        )
    if name.startswith("joint_") and not entry.get("names"):
        raise FbRosError(f"{path}: {name} needs names, as joints are matched by name")
    topic = entry["topic"]
    return TopicField(
        topics=(topic,) if isinstance(topic, str) else tuple(topic),
        field=entry["field"],
        names=entry.get("names", ""),
    )


def _is_topics(value: Any) -> bool:
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)
