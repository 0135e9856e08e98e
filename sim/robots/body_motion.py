"""How a robot as a whole moves."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class BodyMotion:
    """Motion of all of a robot's bodies together, world frame."""

    com_position: np.ndarray
    """Centre of mass, m, `(n, 3)`."""
    com_velocity: np.ndarray
    """Its velocity, m/s, `(n, 3)`."""
    angular_momentum: np.ndarray
    """About the centre of mass, kg m^2/s, `(n, 3)`."""
