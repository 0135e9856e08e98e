"""Named read-outs of a robot's state, described by data so that a bundle can carry them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal, get_args

import numpy as np

from fb_ros.errors import FbRosError, shown
from fb_ros.robot.robot_state import RobotState
from fb_ros.robot.rotation import z_axis
from fb_ros.robot.sanity import is_number, require_name, require_names, require_text

Source = Literal[
    "joint_position",
    "joint_velocity",
    "tcp_position",
    "tcp_orientation",
    "base_position",
    "base_orientation",
    "base_velocity",
    "base_angular_velocity",
    "base_acceleration",
    "last_command",
]
Encoding = Literal["identity", "sin_cos", "z_axis", "opening", "height"]

# Sources by the topic that carries them; all are fields of RobotState.
SOURCES = {
    "joint_states": ("joint_position", "joint_velocity"),
    "tcp_pose": ("tcp_position", "tcp_orientation"),
    "odom": ("base_position", "base_orientation", "base_velocity"),
    "imu": ("base_angular_velocity", "base_acceleration"),
}
_TOPICS = {source: topic for topic, sources in SOURCES.items() for source in sources}
# No topic carries the command before; the sender knows it.
_TOPICS["last_command"] = ""
_ENCODINGS: tuple[str, ...] = get_args(Encoding)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Field:
    """One named part of an observation or of the task features.

    A field says where its numbers come from (`source`, with `joints` for the joint sources) and
    how they are encoded. A node needs nothing else to build it from standard messages.
    """

    name: str
    """Name under which formulas and error messages refer to the field."""
    source: Source
    """Which part of `RobotState` it reads: of the joints (`joint_position`, rad or m,
    `joint_velocity`, rad/s or m/s), of an arm's tool (`tcp_position`, `tcp_orientation`) or of a
    mobile robot's body (`base_position`, …). `last_command` is the command before, in the unit of
    the action interface, of all commanded joints in their order."""
    encoding: Encoding = "identity"
    """`identity`; `sin_cos` (sines, then cosines); `z_axis` (the third column of the rotation
    matrix); `opening` (mean over the joints, 1 at `low` and 0 at `high`); `height` (the third
    component of a position)."""
    joints: tuple[str, ...] = ()
    """Joint names, in the order in which they enter the field."""
    low: float = 0.0
    """Joint position that counts as open, for `opening`."""
    high: float = 1.0
    """Joint position that counts as closed, for `opening`."""
    unit: str = ""
    """Unit of the encoded numbers, empty where they have none."""
    description: str = ""
    """The field's meaning, in words for a person."""

    def __post_init__(self) -> None:
        require_name("a field's name", self.name)
        require_names(f"field {self.name}: joints", self.joints)
        for name in ("low", "high"):
            if not is_number(getattr(self, name)):
                raise FbRosError(
                    f"field {self.name}: {name} is {shown(getattr(self, name))}, expected a number"
                )
        for name in ("unit", "description"):
            require_text(f"field {self.name}: {name}", getattr(self, name))
        if self.source not in _TOPICS:
            raise FbRosError(
                f"field {self.name}: source {shown(self.source)} is not one of "
                + ", ".join(_TOPICS)
            )
        if self.encoding not in _ENCODINGS:
            raise FbRosError(
                f"field {self.name}: encoding {shown(self.encoding)} is not one of {_ENCODINGS}"
            )
        of_joints = self.source.startswith("joint") or self.source == "last_command"
        if of_joints != bool(self.joints):
            raise FbRosError(
                f"field {self.name}: a joint source needs joints, and only it has any"
            )
        if self.source == "last_command" and self.encoding != "identity":
            raise FbRosError(f"field {self.name}: the command before is encoded as identity")
        if (self.encoding == "z_axis") != self.source.endswith("_orientation"):
            raise FbRosError(f"field {self.name}: z_axis goes with an orientation, and only so")
        if self.encoding == "height" and not self.source.endswith("_position"):
            raise FbRosError(f"field {self.name}: height goes with a position, and only so")
        if self.encoding == "height" and self.joints:
            raise FbRosError(f"field {self.name}: a joint has no height")
        if self.encoding in ("sin_cos", "opening") and not self.joints:
            raise FbRosError(f"field {self.name}: {self.encoding} is of joints")
        if self.encoding == "opening" and not self.low < self.high:
            raise FbRosError(f"field {self.name}: low {self.low} is not below high {self.high}")

    @property
    def size(self) -> int:
        """How many numbers the encoded field has."""
        if self.encoding in ("opening", "height"):
            return 1
        if not self.joints:
            return 3
        return len(self.joints) * (2 if self.encoding == "sin_cos" else 1)

    @property
    def topic(self) -> str:
        """The standard topic that carries the field; empty for the command before."""
        return _TOPICS[self.source]

    def encode(self, state: RobotState) -> np.ndarray:
        """The field's numbers for `state`, shape `(..., size)`."""
        raw = getattr(state, self.source)
        if raw is None:
            raise FbRosError(
                f"field {self.name} needs {self.source}, which the state does not carry"
            )
        if self.encoding == "z_axis":
            return z_axis(raw)
        if self.encoding == "height":
            return np.asarray(raw[..., 2:], dtype=np.float64)
        if self.joints and self.source != "last_command":
            raw = raw[..., state.joint_indices(self.joints)]
        if self.encoding == "sin_cos":
            return np.concatenate([np.sin(raw), np.cos(raw)], axis=-1)
        if self.encoding == "opening":
            return 1.0 - np.mean((raw - self.low) / (self.high - self.low), axis=-1, keepdims=True)
        return np.asarray(raw, dtype=np.float64)


def layout_size(fields: Sequence[Field]) -> int:
    """Length of the vector that `fields` make together."""
    return sum(field.size for field in fields)


def layout_slices(fields: Sequence[Field]) -> dict[str, slice]:
    """Where each field lies in the vector that `fields` make together."""
    slices, start = {}, 0
    for field in fields:
        slices[field.name] = slice(start, start + field.size)
        start += field.size
    return slices


def assemble(fields: Sequence[Field], state: RobotState) -> np.ndarray:
    """The vector of all `fields` for `state`, shape `(..., layout_size(fields))`, float64."""
    return np.concatenate([field.encode(state) for field in fields], axis=-1)


def topics_of(fields: Sequence[Field]) -> tuple[str, ...]:
    """The standard topics that carry `fields`; `joint_states` is always one."""
    return tuple(
        topic
        for topic in SOURCES
        if topic == "joint_states" or any(field.topic == topic for field in fields)
    )
