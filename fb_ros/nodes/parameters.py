"""Declares parameters with a description, each in one line."""

from __future__ import annotations

import math
from pathlib import Path

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.paths import open_bundle


def declare_text(node: Node, name: str, default: str, description: str) -> str:
    """A read-only text parameter."""
    descriptor = ParameterDescriptor(description=description, read_only=True)
    return str(node.declare_parameter(name, default, descriptor).value)


def declare_number(node: Node, name: str, default: float, description: str) -> float:
    """A read-only number; a whole number is accepted, since YAML and people write `1` for 1.0."""
    descriptor = ParameterDescriptor(description=description, read_only=True, dynamic_typing=True)
    value = node.declare_parameter(name, default, descriptor).value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise FbRosError(f"{name} is {value!r}, expected a finite number")
    return float(value)


def declare_whole(node: Node, name: str, default: int, description: str) -> int:
    """A read-only whole number."""
    descriptor = ParameterDescriptor(description=description, read_only=True)
    return int(node.declare_parameter(name, default, descriptor).value)


def declare_flag(node: Node, name: str, default: bool, description: str) -> bool:
    """A read-only yes or no."""
    descriptor = ParameterDescriptor(description=description, read_only=True)
    return bool(node.declare_parameter(name, default, descriptor).value)


def declare_bundle(node: Node) -> Bundle:
    """The bundle that the parameter `bundle` names: a folder, or a model that ships.

    If `require_signature` names a public key, its owner must have signed the bundle.
    """
    name = declare_text(node, "bundle", "", "folder of a model bundle, or a shipped model's name")
    key = declare_text(
        node,
        "require_signature",
        "",
        "public key, in PEM, of whoever has to have signed the bundle; empty: not checked",
    )
    return open_bundle(name, signed_by=Path(key) if key else None)
