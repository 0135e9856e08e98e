"""Conversions between standard messages and arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.time import Time
from std_msgs.msg import Float64MultiArray, MultiArrayDimension

OK, WARN, ERROR = DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR


def values_of(status: DiagnosticStatus) -> dict[str, str]:
    """The values of a status by their keys."""
    return {entry.key: entry.value for entry in status.values}


def to_array_message(values: np.ndarray, label: str = "") -> Float64MultiArray:
    """A one-dimensional message; `label` names the object that it belongs to."""
    message = Float64MultiArray(data=np.asarray(values, dtype=np.float64).tolist())
    size = len(message.data)
    message.layout.dim = [MultiArrayDimension(label=label, size=size, stride=size)]
    return message


def label_of(message: Float64MultiArray) -> str:
    """The label that `to_array_message` set, or an empty text."""
    return message.layout.dim[0].label if message.layout.dim else ""


def stamp_of(message: Any) -> int:
    """The stamp in the message's header, in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 10**9 + int(stamp.nanosec)


def to_status(
    level: bytes, name: str, message: str, values: Mapping[str, object], hardware_id: str
) -> DiagnosticStatus:
    """A diagnostic status whose values are written as text."""
    return DiagnosticStatus(
        level=level,
        name=name,
        message=message,
        hardware_id=hardware_id,
        values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
    )


def to_diagnostics(status: DiagnosticStatus, time: Time) -> DiagnosticArray:
    """A message for `/diagnostics`: one status, stamped."""
    message = DiagnosticArray(status=[status])
    message.header.stamp = time.to_msg()
    return message
