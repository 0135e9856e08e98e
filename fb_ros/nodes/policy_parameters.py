"""The parameters of `policy_node`, described, ranged and validated."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import (
    FloatingPointRange,
    ParameterDescriptor,
    ParameterType,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter

from fb_ros import described
from fb_ros.backends import BACKEND_NAMES
from fb_ros.backends.graphs import PRECISIONS, require_precision
from fb_ros.bundle.bundle import Bundle
from fb_ros.control.control_settings import MAX_SECONDS, ControlSettings
from fb_ros.errors import FbRosError
from fb_ros.nodes.own_limits import OWN_LIMITS, declare_own_limits, require_own_limits
from fb_ros.nodes.rename_joints import declare_joint_renaming
from fb_ros.paths import open_bundle
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.settings import require_one_of

_TEXTS = {
    "bundle": ("", "folder of a model bundle, or a shipped model's name"),
    "backend": ("auto", f"{described.BACKEND} ({', '.join(BACKEND_NAMES)})"),
    "precision": ("fp32", f"{described.PRECISION} ({', '.join(PRECISIONS)})"),
    "observation_source": ("vector", described.OBSERVATION_SOURCE),
    "require_signature": (
        "",
        "public key, in PEM, of whoever has to have signed the bundle; empty: not checked",
    ),
    "interface_name": (
        "",
        "what the robot's controller takes: velocity, position or effort; a model of another "
        "interface is refused; empty: not checked",
    ),
}
# Each gets one line here; ControlSettings describes them fully.
_DESCRIPTIONS = {
    "observation_timeout": "robot's seconds without a new observation until stop; 0: 3 periods",
    "z_timeout": "wall seconds without a z until stop; 0: never",
    "inference_timeout": "wall seconds until an unanswered policy is late; 0: one period",
    "check_stamps": "whether stamps are of this node's clock, so that late ones are recognised",
    "smoothing": "time constant of a low-pass on the commands, seconds; 0: none",
    "limit_timeout": "seconds for which a joint may be beyond its limits until halt; 0: for ever",
    "intervention_timeout": "seconds of uninterrupted interventions until halt; 0: for ever",
}


class PolicyParameters:
    """Declares the parameters; on a configured node only the settings may change."""

    def __init__(
        self,
        node: Node,
        is_configured: Callable[[], bool],
        on_settings: Callable[[ControlSettings], None],
    ) -> None:
        """`on_settings` gets settings that a person has changed."""
        self._node, self._is_configured = node, is_configured
        self._on_settings = on_settings
        for name, (default, description) in _TEXTS.items():
            node.declare_parameter(name, default, ParameterDescriptor(description=description))
        node.declare_parameter(
            "joints",
            [""],
            ParameterDescriptor(
                description="joints of the robot's controller, in its order; a model of other "
                "joints is refused; empty: not checked",
                type=ParameterType.PARAMETER_STRING_ARRAY,
            ),
        )
        self._declare_number(
            "control_period",
            0.0,
            "the robot's control period, seconds; a model of another one is refused; 0: not "
            "checked",
        )
        declare_own_limits(node)
        self._fixed = (
            *(*_TEXTS, *OWN_LIMITS),
            *("joints", "control_period", "autostart", "use_sim_time"),
        )
        node.declare_parameter(
            "autostart",
            True,
            ParameterDescriptor(
                description="whether the node configures and activates itself when it starts"
            ),
        )
        for field in dataclasses.fields(ControlSettings):
            description = _DESCRIPTIONS[field.name]
            if field.type == "bool":
                descriptor = ParameterDescriptor(description=description)
                node.declare_parameter(field.name, field.default, descriptor)
            else:
                self._declare_number(field.name, float(str(field.default)), description)
        self._verify({})
        node.add_on_set_parameters_callback(self._on_set)
        node.add_post_set_parameters_callback(self._after_set)

    def text(self, name: str) -> str:
        """The value of a text parameter."""
        return str(self._node.get_parameter(name).value)

    @property
    def autostart(self) -> bool:
        """Whether the node starts by itself."""
        return bool(self._node.get_parameter("autostart").value)

    @property
    def settings(self) -> ControlSettings:
        """The present settings."""
        return self._settings({})

    def load_bundle(self) -> Bundle:
        """The bundle that the node is to run, verified."""
        key = self.text("require_signature")
        return open_bundle(self.text("bundle"), signed_by=Path(key) if key else None)

    def require_robot(self, robot: RobotSpec) -> None:
        """Refuses a model of other joints than the robot's, or one that asks more of them."""
        joints = [name for name in self._node.get_parameter("joints").value or () if name]
        if joints and joints != list(robot.action_joints):
            raise FbRosError(
                f"the model commands {', '.join(robot.action_joints)}; the robot's controller "
                f"takes {', '.join(joints)} (parameter joints)"
            )
        interface = self.text("interface_name")
        if interface and interface != robot.action_interface:
            raise FbRosError(
                f"the model's commands are of {robot.action_interface}; the robot's controller "
                f"takes {interface} (parameter interface_name)"
            )
        period = float(self._node.get_parameter("control_period").value or 0.0)
        if period and not math.isclose(period, robot.ctrl_dt, rel_tol=0.01):
            raise FbRosError(
                f"the model was trained for a control period of {robot.ctrl_dt:g} s; the robot's "
                f"is {period:g} s (parameter control_period)"
            )
        require_own_limits(self._node, robot)
        # Also refused where the observation comes as a vector, which has no names.
        declare_joint_renaming(self._node, robot)

    def _declare_number(self, name: str, default: float, description: str) -> None:
        # A whole number is accepted, since YAML and people write `1` for 1.0.
        descriptor = ParameterDescriptor(
            description=description,
            dynamic_typing=True,
            floating_point_range=[FloatingPointRange(from_value=0.0, to_value=MAX_SECONDS)],
        )
        self._node.declare_parameter(name, default, descriptor)

    def _settings(self, changes: dict[str, Any]) -> ControlSettings:
        values: dict[str, Any] = {}
        for field in dataclasses.fields(ControlSettings):
            value = self._value(field.name, changes)
            if field.type == "bool":
                values[field.name] = bool(value)
            else:
                values[field.name] = _number(field.name, value)
        return ControlSettings(**values)

    def _value(self, name: str, changes: dict[str, Any]) -> Any:
        return changes[name] if name in changes else self._node.get_parameter(name).value

    def _verify(self, changes: dict[str, Any]) -> None:
        self._settings(changes)
        _number("control_period", self._value("control_period", changes))
        source = str(self._value("observation_source", changes))
        require_one_of("observation_source", source, described.SOURCES)
        backend = self._value("backend", changes)
        if backend not in BACKEND_NAMES:
            raise FbRosError(
                f"there is no backend {backend!r}; possible: {', '.join(BACKEND_NAMES)}"
            )
        require_precision(str(self._value("precision", changes)))
        interface = self._value("interface_name", changes)
        if interface not in ("", "velocity", "position", "effort"):
            raise FbRosError(
                f"interface_name is {interface!r}, expected velocity, position, effort or nothing"
            )

    def _on_set(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        changes = {parameter.name: parameter.value for parameter in parameters}
        fixed = [name for name in changes if name in self._fixed]
        if fixed and self._is_configured():
            return SetParametersResult(
                successful=False,
                reason=f"{', '.join(fixed)} cannot change while the node is configured: "
                "deactivate it, clean it up, set it, and configure it again",
            )
        try:
            self._verify(changes)
        except FbRosError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _after_set(self, parameters: Sequence[Parameter]) -> None:
        names = {field.name for field in dataclasses.fields(ControlSettings)}
        if any(parameter.name in names for parameter in parameters):
            self._on_settings(self.settings)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise FbRosError(f"{name} is {value!r}, expected a finite number")
    if not 0.0 <= value <= MAX_SECONDS:
        raise FbRosError(f"{name} is {value:g}, expected 0 to {MAX_SECONDS:g} seconds")
    return float(value)
