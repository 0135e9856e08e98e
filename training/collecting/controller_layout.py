"""The inputs and outputs of a velocity-following controller, described in YAML."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from fb_ros.errors import FbRosError
from fb_ros.paths import shipped
from fb_ros.robot.robot_spec import RobotSpec

_SIZES = {"linear_velocity": 3, "angular_velocity": 3, "gravity": 3, "command": 3}
_OF_JOINTS = ("joint_position", "joint_velocity", "last_output")
READS = (*_SIZES, *_OF_JOINTS)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ControllerLayout:
    """The layout of a controller's input and output; joint arrays are in the order of `joints`."""

    reads: tuple[tuple[str, np.ndarray], ...]
    """Parts of the input vector, in order, each with its scale `(1,)` or `(size,)`."""
    joints: tuple[str, ...]
    """The controller's joints."""
    stance: np.ndarray
    """Positions to which inputs and outputs are relative, rad, `(joints,)`."""
    output_scale: np.ndarray
    """rad per unit of the output, `(joints,)`."""
    clip: float
    """Largest magnitude of an input or an output."""
    command_step: np.ndarray
    """Largest change of the command in a control period, `(3,)`: m/s, m/s, rad/s."""
    command_low: np.ndarray
    """Lower bound of drawn commands, `(3,)`."""
    command_high: np.ndarray
    """Upper bound of drawn commands, `(3,)`."""
    poses: Mapping[str, np.ndarray]
    """Postures of scripted slow motion, rad, `(joints,)` each."""

    @property
    def inputs(self) -> int:
        """Length of the input vector."""
        return sum(self.size(name) for name, _ in self.reads)

    def size(self, name: str) -> int:
        """How many numbers of the input vector the part `name` takes."""
        return _SIZES.get(name, len(self.joints))

    def require_robot(self, robot: RobotSpec) -> None:
        """Refuses a robot whose actions are not position servos at these joints."""
        if robot.action_interface != "position" or sorted(robot.action_joints) != sorted(
            self.joints
        ):
            raise FbRosError(
                f"the controller drives position servos of {', '.join(self.joints)}; robot "
                f"{robot.name} takes {robot.action_interface} of {', '.join(robot.action_joints)}"
            )


def find_layout(path: Path) -> Path:
    """The file of a layout, at `path` or among those that ship in `config/`."""
    return path if path.is_file() else shipped("config", path.name) or path


def read_layout(path: Path) -> ControllerLayout:
    """Reads a layout; refuses unknown entries and lists the valid ones."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise FbRosError(f"{path} is not readable: {' '.join(str(error).split())}") from error
    known = (
        *("observation", "joints", "stance", "output_scale", "clip"),
        *("command_step", "command_low", "command_high", "poses"),
    )
    if not isinstance(data, dict) or set(data) != set(known):
        found = ", ".join(map(str, data)) if isinstance(data, dict) else repr(data)
        raise FbRosError(f"{path} holds {found}; expected {', '.join(known)}")
    joints = _names(data["joints"], path)
    poses = data["poses"]
    if not isinstance(poses, dict) or "stand" not in poses:
        raise FbRosError(
            f"{path}: poses is {poses!r}, expected postures by name, stand among them"
        )
    count = len(joints)
    layout = ControllerLayout(
        reads=tuple(_read(entry, count, path) for entry in _list(data["observation"], path)),
        joints=joints,
        stance=_numbers(data["stance"], count, "stance", path),
        output_scale=_numbers(data["output_scale"], count, "output_scale", path),
        clip=float(_numbers([data["clip"]], 1, "clip", path)[0]),
        command_step=_numbers(data["command_step"], 3, "command_step", path),
        command_low=_numbers(data["command_low"], 3, "command_low", path),
        command_high=_numbers(data["command_high"], 3, "command_high", path),
        poses={
            str(name): _numbers(pose, count, f"pose {name}", path) for name, pose in poses.items()
        },
    )
    if np.any(layout.command_low > layout.command_high) or np.any(layout.command_step <= 0.0):
        raise FbRosError(
            f"{path}: command_low is above command_high, or command_step is not above 0"
        )
    return layout


def _read(entry: Any, joints: int, path: Path) -> tuple[str, np.ndarray]:
    if not isinstance(entry, dict) or not {"read"} <= set(entry) <= {"read", "scale"}:
        raise FbRosError(f"{path}: observation has {entry!r}, expected read and possibly scale")
    name = entry["read"]
    if name not in READS:
        raise FbRosError(f"{path}: there is no {name!r} to read; possible: {', '.join(READS)}")
    scale = entry.get("scale", 1.0)
    if isinstance(scale, (int, float)):
        return name, np.array([float(scale)])
    return name, _numbers(scale, _SIZES.get(name, joints), f"scale of {name}", path)


def _list(value: Any, path: Path) -> Sequence[Any]:
    if not isinstance(value, list) or not value:
        raise FbRosError(f"{path}: observation is {value!r}, expected a list")
    return value


def _names(value: Any, path: Path) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise FbRosError(f"{path}: joints is {value!r}, expected a list of names")
    return tuple(value)


def _numbers(value: Any, count: int, name: str, path: Path) -> np.ndarray:
    fine = isinstance(value, list) and all(isinstance(x, (int, float)) for x in value)
    if not fine or len(value) != count or not np.all(np.isfinite(value)):
        raise FbRosError(f"{path}: {name} is {value!r}, expected {count} finite numbers")
    return np.array(value, dtype=np.float64)
