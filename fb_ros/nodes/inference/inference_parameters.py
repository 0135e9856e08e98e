"""The parameters of `task_inference_node`: fixed ones, and those that may change as it runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, get_args

from rcl_interfaces.msg import ParameterDescriptor, SetParametersResult
from rclpy.node import Node
from rclpy.parameter import Parameter

from fb_ros.backends.graphs import Precision, require_precision
from fb_ros.described import BACKEND, PRECISION
from fb_ros.errors import FbRosError
from fb_ros.nodes.parameters import declare_bundle, declare_text
from fb_ros.task_inference.choice import Choice, require_choice

_NUMBERS = {
    "ramp_seconds": (0.0, "seconds in which z moves to a new prompt's; 0: at once"),
    "reward_window": (30.0, "seconds for which a reward_value is remembered"),
}


class InferenceParameters:
    """Declares the parameters; `choice`, `ramp_seconds` and `reward_window` may be changed."""

    def __init__(self, node: Node, on_change: Callable[[], None]) -> None:
        """`on_change` is called when a person has changed a parameter; it reads the new values."""
        self._node, self._on_change = node, on_change
        self.bundle = declare_bundle(node)
        self.backend = declare_text(node, "backend", "auto", BACKEND)
        self.precision: Precision = require_precision(
            declare_text(node, "precision", "fp32", PRECISION)
        )
        skills = declare_text(
            node, "skills", "", "folder of the saved skills; empty: the user's data folder"
        )
        self.skills = Path(skills) if skills else None
        described = ParameterDescriptor(
            description="how z is chosen: best, what does best as the model imagines it, or mean, "
            "the papers' E[r B]"
        )
        node.declare_parameter("choice", get_args(Choice)[0], described)
        for name, (default, description) in _NUMBERS.items():
            # YAML and people write `1` for 1.0.
            kind = ParameterDescriptor(description=description, dynamic_typing=True)
            node.declare_parameter(name, default, kind)
        self._verify({})
        node.add_on_set_parameters_callback(self._on_set)
        node.add_post_set_parameters_callback(self._after_set)

    @property
    def choice(self) -> Choice:
        """How `z` is chosen."""
        return require_choice(str(self._value("choice")))

    @property
    def ramp_seconds(self) -> float:
        """Seconds in which `z` moves to the encoding of a new prompt."""
        return float(self._value("ramp_seconds"))

    @property
    def reward_window(self) -> float:
        """Seconds for which a reward given while the robot moves is remembered."""
        return float(self._value("reward_window"))

    def _value(self, name: str) -> Any:
        return self._node.get_parameter(name).value

    def _on_set(self, parameters: Sequence[Parameter]) -> SetParametersResult:
        try:
            self._verify({parameter.name: parameter.value for parameter in parameters})
        except FbRosError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return SetParametersResult(successful=True)

    def _after_set(self, parameters: Sequence[Parameter]) -> None:
        if {parameter.name for parameter in parameters} & {"choice", *_NUMBERS}:
            self._on_change()

    def _verify(self, changes: dict[str, Any]) -> None:
        """Refuses meaningless values; `changes` are those that are not yet in force."""
        require_choice(str(changes.get("choice", self._value("choice"))))
        for name in _NUMBERS:
            value = changes.get(name, self._value(name))
            number = isinstance(value, (int, float)) and not isinstance(value, bool)
            if not (number and math.isfinite(value) and value >= 0.0):
                raise FbRosError(f"{name} is {value!r}, expected seconds, 0 or more")
            if name == "reward_window" and not value > 0.0:
                raise FbRosError(f"{name} is {value:g} s, expected above 0")
