"""Inputs and outputs of a control step: an observation, a step that is due, an order."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.control.joint_reading import JointReading


@dataclasses.dataclass(frozen=True, kw_only=True)
class Observation:
    """An observation at one instant."""

    values: np.ndarray
    """`(obs_dim,)`."""
    reading: JointReading
    """Measured positions and velocities of the commanded joints."""
    label: str = ""
    """Names the observation, as the command that answers it does; empty where it has no name."""
    stamp: float | None = None
    """When it was measured, in seconds; None where it does not say."""

    def problem(self, size: int) -> str:
        """Why a policy that reads `size` numbers cannot read this; empty where it can."""
        not_finite = int(np.sum(~np.isfinite(self.values)))
        if self.values.shape == (size,) and not not_finite:
            return ""
        return (
            f"{self.values.size} numbers, {not_finite} of them not finite; expected {size} "
            "finite ones"
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """A policy's command that is due."""

    observation: Observation
    z: np.ndarray
    """`(d,)`."""
    generation: int
    """Number of the stops before it: the answer to a step from before a stop is not sent."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """A command to send now."""

    command: np.ndarray
    """`(act_dim,)`, physical units."""
    label: str = ""
    """Names the observation that it answers; empty for a stop."""
