"""The parameters `limits.…` of `policy_node`: this robot's limits, whatever a model states."""

from __future__ import annotations

import dataclasses

import numpy as np
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from fb_ros.control.limits import Limits
from fb_ros.control.own_limits import require_within
from fb_ros.errors import FbRosError, shown
from fb_ros.robot.robot_spec import RobotSpec

_NAMES = tuple(field.name for field in dataclasses.fields(Limits))
OWN_LIMITS = tuple(f"limits.{name}" for name in _NAMES)


def declare_own_limits(node: Node) -> None:
    """Declares one list of numbers for each limit; it is empty, the default, if none is given."""
    for name in OWN_LIMITS:
        descriptor = ParameterDescriptor(
            description="the robot's own limit of each joint, in the order of its commands; a "
            "model that asks for more is refused; .inf: none of that joint; empty: not checked",
            dynamic_typing=True,  # YAML reads [1, 2] as whole numbers.
        )
        node.declare_parameter(name, [], descriptor)


def require_own_limits(node: Node, robot: RobotSpec) -> None:
    """Refuses a model that asks for more than the parameters allow."""
    unlimited = {name: -np.inf if name.endswith("_low") else np.inf for name in _NAMES}
    require_within(
        robot,
        Limits(
            **{
                name: _numbers(node, name, robot, unlimited=value)
                for name, value in unlimited.items()
            }
        ),
    )


def _numbers(node: Node, name: str, robot: RobotSpec, *, unlimited: float) -> np.ndarray:
    values = node.get_parameter(f"limits.{name}").value
    if values is None or not len(values):
        return np.full(robot.act_dim, unlimited)
    if len(values) != robot.act_dim:
        raise FbRosError(
            f"limits.{name} has {len(values)} numbers, the model commands {robot.act_dim} joints: "
            + ", ".join(robot.action_joints)
        )
    if any(isinstance(value, (bool, str)) or value != value for value in values):
        raise FbRosError(f"limits.{name} is {shown(list(values))}, expected numbers")
    return np.asarray(values, dtype=np.float64)
