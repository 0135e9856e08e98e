"""What a bag says of one robot: its accepted prompts, and the states that it went through."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from fb_ros.errors import FbRosError

_STATUS, _STATES, _SIMULATION = "/prompt/status", "/joint_states", "/sim_node: simulation"

# A recorder can hear a prompt this much later than its answer, which comes from another process.
_LATE_NANOSECONDS = 200_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class Said:
    """A prompt that was accepted."""

    topic: str
    """Name of the topic below `prompt/`."""
    kind: str
    """Type of its message, such as `std_msgs/msg/String`."""
    content: bytes
    """The message, serialised."""
    text: str
    """The text of its answer."""
    z: str
    """Digest of the `z` that answered it."""
    stamp: float | None
    """Stamp of the state from which it was answered, s; None while none was known."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordedRun:
    """One robot's part of a bag."""

    robot: str
    """The robot's name; empty if nothing was answered."""
    model_id: str
    """The model that answered."""
    seed: int | None
    """Seed of the simulation; None of a robot that is none."""
    lockstep: bool
    """Whether the simulation ran in lock-step."""
    said: tuple[Said, ...]
    """The accepted prompts in their order."""
    states: Mapping[int, Mapping[str, float]]
    """Positions of the joints by stamp (ns) and name (rad, m)."""


class _Asked(NamedTuple):
    """A message on a prompt's topic."""

    received: int
    kind: str
    content: bytes


def read_run(path: Path) -> RecordedRun:
    """Reads a bag.

    Raises:
        FbRosError: It cannot be read, holds no answers to prompts or those of several robots.
    """
    if not path.exists():
        raise FbRosError(f"there is no bag {path}; `fb_ros record` makes one")
    try:
        with AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY)) as reader:
            return _read(path, reader)
    except FbRosError:
        raise
    except Exception as error:  # rosbags and the libraries below raise anything.
        line = " ".join(str(error).split()) or repr(error)
        raise FbRosError(f"{path} cannot be read: {line[:200]}") from error


def _read(path: Path, reader: AnyReader) -> RecordedRun:
    spaces = sorted(
        {one.topic.removesuffix(_STATUS) for one in reader.connections if _is_status(one.topic)}
    )
    if len(spaces) != 1:
        found = ", ".join(spaces) or "none"
        raise FbRosError(f"{path} has the prompts of {found}; expected those of one robot")
    space = spaces[0]
    asked: dict[str, list[_Asked]] = {}
    for connection, received, content in reader.messages():
        if connection.topic.startswith(f"{space}/prompt/") and not _is_status(connection.topic):
            topic = connection.topic.removeprefix(f"{space}/prompt/")
            one = _Asked(received, connection.msgtype, bytes(content))
            asked.setdefault(topic, []).append(one)
    said: list[Said] = []
    states: dict[int, dict[str, float]] = {}
    robot = model_id = ""
    seed, lockstep, numbers = None, False, set()
    for connection, received, content in reader.messages():
        topic = connection.topic
        if topic == space + _STATUS:
            status: Any = reader.deserialize(content, connection.msgtype)
            values = {one.key: one.value for one in status.values}
            robot, model_id = str(status.hardware_id), values.get("model_id", model_id)
            # A twin's answer is a second one of the same number.
            if "z" in values and values["number"] not in numbers:
                numbers.add(values["number"])
                until = received + _LATE_NANOSECONDS
                before = [one for one in asked.get(values["prompt"], []) if one.received < until]
                said.append(_said(path, values, before))
        elif topic == space + _STATES:
            message: Any = reader.deserialize(content, connection.msgtype)
            stamp = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            states[stamp] = dict(zip(message.name, map(float, message.position), strict=False))
        elif topic == "/diagnostics":
            array: Any = reader.deserialize(content, connection.msgtype)
            for one in array.status:
                if one.name == space + _SIMULATION:
                    values = {value.key: value.value for value in one.values}
                    seed = int(values["seed"]) if "seed" in values else None
                    lockstep = one.message == "lock-step"
    if not said:
        raise FbRosError(f"{path} has no accepted prompt, so there is nothing to say again")
    if not states:
        raise FbRosError(f"{path} has no {space}{_STATES}, so nothing can be compared")
    return RecordedRun(
        robot=robot,
        model_id=model_id,
        seed=seed,
        lockstep=lockstep,
        said=_without_repeats(said, sorted(states)),
        states=dict(sorted(states.items())),
    )


def _is_status(topic: str) -> bool:
    return topic.endswith(_STATUS)


def _said(path: Path, values: Mapping[str, str], asked: list[_Asked]) -> Said:
    if not asked:
        raise FbRosError(
            f"{path} has the answer to {values['text']!r} and not the prompt; record from before "
            "the first prompt on"
        )
    # Lines on one topic can queue; of numbers the newest is answered.
    line = values["text"].encode()
    prompt = next((one for one in reversed(asked) if line in one.content), asked[-1])
    return Said(
        topic=values["prompt"],
        kind=prompt.kind,
        content=prompt.content,
        text=values["text"],
        z=values["z"],
        stamp=float(values["state_stamp"]) if values.get("state_stamp") else None,
    )


def _without_repeats(said: list[Said], stamps: list[int]) -> tuple[Said, ...]:
    """Leaves out prompts that were asked again at once, as clients in lock-step do until the
    newest state has answered."""
    kept = []
    for one, following in itertools.zip_longest(said, said[1:]):
        again = following is not None and (one.topic, one.text) == (
            following.topic,
            following.text,
        )
        if again and following.stamp is not None:
            since = -np.inf if one.stamp is None else one.stamp * 1e9 + 1e3
            again = sum(since < stamp <= following.stamp * 1e9 + 1e3 for stamp in stamps) <= 1
        if not again or (one.stamp is not None and following.stamp is None):
            kept.append(one)
    return tuple(kept)


def largest_difference(
    recorded: Mapping[int, Mapping[str, float]], replayed: Mapping[int, Mapping[str, float]]
) -> tuple[int, float, float | None]:
    """How far two runs lie apart, each counted from its own first stamp.

    Returns the number of states that both have, the largest difference of a joint's position
    among them, and the time (s) of the first difference, None if there is none.
    """
    first, other = min(recorded), min(replayed)
    shared, largest, since = 0, 0.0, None
    for stamp, joints in recorded.items():
        again = replayed.get(stamp - first + other)
        if again is None:
            continue
        shared += 1
        off = max(
            (float(np.abs(joints[name] - again[name])) for name in joints if name in again),
            default=0.0,
        )
        largest = max(largest, off)
        if off and since is None:
            since = (stamp - first) * 1e-9
    return shared, largest, since
