"""Inputs and outputs of a control step: an observation, a due step, an order."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.control.joint_reading import JointReading


@dataclasses.dataclass(frozen=True, kw_only=True)
class Observation:
    """The policy's input at one instant."""

    values: np.ndarray
    """`(obs_dim,)`."""
    reading: JointReading
    """Measured positions and velocities of the commanded joints."""
    label: str = ""
    """Name of the observation, which the answering command repeats; empty where it has none."""
    stamp: float | None = None
    """When the observation was measured, in seconds; None where it carries no stamp."""

    def problem(self, size: int) -> str:
        """Why a policy that reads `size` numbers cannot read this; empty where it can."""
        finite = np.isfinite(self.values)
        if self.values.shape == (size,) and finite.all():
            return ""
        not_finite = self.values.size - int(finite.sum())
        return (
            f"{self.values.size} numbers, {not_finite} of them not finite; expected {size} "
            "finite ones"
        )

    def lateness(self, now: float) -> str:
        """The reason for standing still when it is too old at `now`, seconds."""
        return (
            f"the observation is stamped {now - (self.stamp or 0.0):.3g} s before the present; is "
            "the network slow, or has the robot another clock (check_stamps:=false)?"
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """A control step that is due, for which the policy computes a command."""

    observation: Observation
    z: np.ndarray
    """`(d,)`."""
    generation: int
    """How many stops came before the step: the answer to a step from before a stop is not sent."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """A command to send now."""

    command: np.ndarray
    """`(act_dim,)`, physical units."""
    label: str = ""
    """Name of the observation that the command answers; empty for a stop."""
