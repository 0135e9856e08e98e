"""Motion of a robot as a whole."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class BodyMotion:
    """Motion of all of a robot's bodies together, world frame."""

    com_position: np.ndarray
    """Centre of mass, m, `(n, 3)`."""
    com_velocity: np.ndarray
    """Velocity of the centre of mass, m/s, `(n, 3)`."""
    angular_momentum: np.ndarray
    """Angular momentum about the centre of mass, kg m^2/s, `(n, 3)`."""
