"""Axes of a body, from its orientation as a unit quaternion (w, x, y, z)."""

from __future__ import annotations

import numpy as np


def z_axis(quaternion: np.ndarray) -> np.ndarray:
    """Third column of the rotation matrix of unit quaternions `(..., 4)`, shape `(..., 3)`."""
    w, x, y, z = np.moveaxis(quaternion, -1, 0)
    return np.stack([2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)], axis=-1)


def upright(quaternion: np.ndarray) -> float:
    """Vertical component of the body's vertical axis, from a unit quaternion `(4,)`.

    It is 1 if the body is level, 0 if it lies on its side and -1 if it is upside down.
    """
    return float(z_axis(quaternion)[2])
