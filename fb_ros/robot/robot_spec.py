"""The description of a robot that the nodes need: its read-outs, its commands and its range."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Literal

import numpy as np

from fb_ros.errors import FbRosError, shown
from fb_ros.robot.field import Field, layout_size
from fb_ros.robot.robot_state import RobotState
from fb_ros.robot.sanity import (
    is_number,
    require_list,
    require_name,
    require_names,
    require_numbers,
    require_text,
)

ActionInterface = Literal["velocity", "position", "effort"]
_INTERFACES: tuple[str, ...] = ("velocity", "position", "effort")

# Lists of numbers that have no gaps.
_NUMBERS = (
    *("action_low", "action_high", "goal_low", "goal_high"),
    *("velocity_widths", "posture", "posture_widths"),
)

SHORTEST_DT, LONGEST_DT = 1e-3, 10.0
"""Control periods that a robot may have, seconds."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobotSpec:
    """Description of one robot, carried by its bundle and by its simulation."""

    name: str
    """Name of the robot, used for namespaces and folders."""
    observation: tuple[Field, ...]
    """The policy's input, in order."""
    features: tuple[Field, ...]
    """The features that a reward may use, in order."""
    action_joints: tuple[str, ...]
    """Joint of each command, in the order in which `commands` carries them."""
    action_interface: ActionInterface
    """The commands' meaning and unit: rad/s or m/s, rad or m, N m or N."""
    action_low: tuple[float, ...]
    """Smallest command, physical units."""
    action_high: tuple[float, ...]
    """Largest command, physical units."""
    ctrl_dt: float
    """Control period in seconds."""
    joint_low: tuple[float | None, ...] = ()
    """Smallest position of each commanded joint, rad or m; None where a joint has no limit, and
    empty where no joint has one, as for the next three."""
    joint_high: tuple[float | None, ...] = ()
    """Largest position."""
    velocity_limit: tuple[float | None, ...] = ()
    """Largest speed, rad/s or m/s."""
    acceleration_limit: tuple[float | None, ...] = ()
    """Largest change of the commanded speed, rad/s^2 or m/s^2."""
    frame: str = "world"
    """Frame of `tcp_pose` and of every point."""
    goal_feature: str = "tcp_pos"
    """The feature that a published goal point sets."""
    velocity_features: tuple[str, ...] = ()
    """The features that a published velocity sets: the linear one, then the angular one; a feature
    of two components takes x and y."""
    velocity_widths: tuple[float, ...] = ()
    """How closely a published velocity is kept: the width of the reward around it, a number for
    each component of `velocity_features`. If empty, a velocity is a state to reach, not one to
    keep."""
    posture_features: tuple[str, ...] = ()
    """The features of the robot's posture while it keeps a velocity."""
    posture: tuple[float, ...] = ()
    """The values of `posture_features`, one after the other."""
    posture_widths: tuple[float, ...] = ()
    """How closely the posture is kept: a width of the reward for each value."""
    fallen_below: float | None = None
    """The vertical component of the torso's vertical axis, 1 when level, below which the robot has
    fallen; None for a robot that cannot fall."""
    goal_low: tuple[float, ...] = ()
    """Lower corner of the box from which goals are drawn, unit of `goal_feature`."""
    goal_high: tuple[float, ...] = ()
    """Upper corner of that box."""
    goal_radius: float = 0.05
    """Distance within which a goal counts as reached, unit of `goal_feature`."""

    def __post_init__(self) -> None:
        require_name("robot name", self.name)
        of = f"robot {self.name}:"
        for layout in ("observation", "features"):
            fields = require_list(f"{of} {layout}", getattr(self, layout))
            require_names(f"{of} {layout}", tuple(getattr(f, "name", None) for f in fields))
        for name in ("action_joints", "velocity_features", "posture_features"):
            require_names(f"{of} {name}", getattr(self, name))
        require_text(f"{of} frame", self.frame)
        if self.action_interface not in _INTERFACES:
            raise FbRosError(
                f"{of} action_interface is {shown(self.action_interface)}, expected one "
                f"of {', '.join(_INTERFACES)}"
            )
        for name in _NUMBERS:
            require_numbers(f"{of} {name}", getattr(self, name))
        if not is_number(self.goal_radius) or self.goal_radius <= 0.0:
            raise FbRosError(f"{of} goal_radius is {shown(self.goal_radius)}, expected above 0")
        if not (len(self.action_joints) == len(self.action_low) == len(self.action_high)):
            raise FbRosError(f"robot {self.name}: action joints and limits differ in number")
        if any(low >= high for low, high in zip(self.action_low, self.action_high, strict=True)):
            raise FbRosError(f"robot {self.name}: an action's low limit is not below its high one")
        if not is_number(self.ctrl_dt) or not SHORTEST_DT <= self.ctrl_dt <= LONGEST_DT:
            raise FbRosError(
                f"{of} ctrl_dt is {shown(self.ctrl_dt)} s, expected {SHORTEST_DT:g} to "
                f"{LONGEST_DT:g}"
            )
        self._verify_joint_limits()
        for field in (*self.observation, *self.features):
            if field.source == "last_command" and field.joints != self.action_joints:
                raise FbRosError(
                    f"robot {self.name}: field {field.name} is the command before, expected the "
                    f"joints {', '.join(self.action_joints)} and no others"
                )
        if any(field.source == "last_command" for field in self.features):
            raise FbRosError(f"robot {self.name}: a reward cannot speak of the command before")
        goal = self.feature(self.goal_feature)
        if not (len(self.goal_low) == len(self.goal_high) == goal.size):
            raise FbRosError(f"robot {self.name}: the goal box needs {goal.size} numbers a corner")
        if any(self.feature(name).size not in (2, 3) for name in self.velocity_features):
            raise FbRosError(f"robot {self.name}: a velocity feature has 2 or 3 components")
        self._verify_widths()

        upright = any(field.encoding == "z_axis" for field in self.observation)
        if self.fallen_below is not None and not (upright and -1.0 < self.fallen_below < 1.0):
            raise FbRosError(
                f"robot {self.name}: fallen_below is {self.fallen_below}, expected -1 to 1 and an "
                "observed axis of the torso"
            )

    def _verify_widths(self) -> None:
        count = sum(self.feature(name).size for name in self.velocity_features)
        if len(self.velocity_widths) not in (0, count):
            raise FbRosError(f"robot {self.name}: velocity_widths needs {count} numbers, or none")
        count = sum(self.feature(name).size for name in self.posture_features)
        if not len(self.posture) == len(self.posture_widths) == count:
            raise FbRosError(f"robot {self.name}: posture and its widths need {count} numbers")
        if any(width <= 0.0 for width in (*self.velocity_widths, *self.posture_widths)):
            raise FbRosError(f"robot {self.name}: widths must be above 0")

    def _verify_joint_limits(self) -> None:
        for name in ("joint_low", "joint_high", "velocity_limit", "acceleration_limit"):
            values = getattr(self, name)
            require_numbers(f"robot {self.name}: {name}", values, gaps=True)
            if len(values) not in (0, self.act_dim):
                raise FbRosError(
                    f"robot {self.name}: {name} has {len(values)} entries, expected one for each "
                    f"of {self.act_dim} joints, or none"
                )
            for value in values:
                if value is not None and name.endswith("_limit") and value <= 0.0:
                    raise FbRosError(f"robot {self.name}: {name} holds {value}, expected above 0")
        for low, high in zip(self.joint_low, self.joint_high, strict=False):
            if low is not None and high is not None and low >= high:
                raise FbRosError(f"robot {self.name}: joint limit {low} is not below {high}")

    @property
    def sensor_tolerance(self) -> float:
        """Seconds by which stamps may differ and still belong to one instant: a quarter period."""
        return 0.25 * self.ctrl_dt

    @functools.cached_property
    def obs_dim(self) -> int:
        """Length of the observation vector."""
        return layout_size(self.observation)

    @property
    def feature_dim(self) -> int:
        """Length of the vector of task features."""
        return layout_size(self.features)

    @property
    def act_dim(self) -> int:
        """Number of commands."""
        return len(self.action_joints)

    def feature(self, name: str) -> Field:
        """The feature called `name`; refuses a name that is not there."""
        for field in self.features:
            if field.name == name:
                return field
        names = ", ".join(field.name for field in self.features)
        raise FbRosError(f"robot {self.name} has no feature {shown(name)}; it has {names}")

    def held_command(self, state: RobotState) -> np.ndarray:
        """The command that holds the measured state, `(..., act_dim)`: the one before the first.

        It is the measured positions for position control, and zeros for velocity and effort.
        """
        positions: np.ndarray = state.joint_position[..., state.joint_indices(self.action_joints)]
        return positions if self.action_interface == "position" else np.zeros_like(positions)

    def commands_before(self, first: RobotState, actions: np.ndarray) -> np.ndarray:
        """The command before each state of an episode, `(n + 1, act_dim)`.

        `first` holds one state, the first, and `actions` `(n, act_dim)` in `[-1, 1]` led to the
        others.
        """
        return np.concatenate([self.held_command(first), self.command_from_action(actions)])

    def command_from_action(self, action: np.ndarray) -> np.ndarray:
        """Physical command of an action in `[-1, 1]`, both `(..., act_dim)`."""
        low, high = np.asarray(self.action_low), np.asarray(self.action_high)
        return low + (np.clip(action, -1.0, 1.0) + 1.0) * 0.5 * (high - low)

    def action_from_command(self, command: np.ndarray) -> np.ndarray:
        """The action in `[-1, 1]` of a physical command, both `(..., act_dim)`."""
        return np.clip(self.unclipped_action(command), -1.0, 1.0)

    def unclipped_action(self, command: np.ndarray) -> np.ndarray:
        """The same, except that a command beyond its limits stays beyond `[-1, 1]`."""
        low, high = np.asarray(self.action_low), np.asarray(self.action_high)
        action: np.ndarray = 2.0 * (command - low) / (high - low) - 1.0
        return action

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RobotSpec:
        """Reads what `to_json` wrote; refuses unknown or missing entries in one line."""
        try:
            plain: dict[str, Any] = {
                key: tuple(v) if isinstance(v, list) else v for key, v in data.items()
            }
            for layout in ("observation", "features"):
                plain[layout] = tuple(
                    Field(**{**field, "joints": tuple(field.get("joints", ()))})
                    for field in data[layout]
                )
            return cls(**plain)
        except (KeyError, TypeError, AttributeError) as error:
            raise FbRosError(f"robot description is not readable: {shown(error)}") from error
