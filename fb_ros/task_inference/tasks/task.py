"""A prompt in the form that a model works with."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.task_inference.objective import Objective


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Encodings that may do what a prompt asks for, and its objective."""

    text: str
    """The prompt."""
    proposals: np.ndarray
    """Encodings `(m, z_dim)`, float32; the first is taken where nothing can choose."""
    means: np.ndarray | None = None
    """`E[r(s) B(s, z)]` of the reward for each encoding, `(m, z_dim)`, if that was requested: with
    `F` it gives the reward that the model expects, relative to `base`."""
    base: float = 0.0
    """The number subtracted from the reward before taking `means`, in the objective's unit."""
    forecast: float | None = None
    """The reward that the data earned in the state that is asked for, in the objective's unit, if
    there is nothing to choose from."""
    objective: Objective | None = None
    """The objective to choose by; None where there is no choice, as for a skill's saved `z`."""
    warnings: tuple[str, ...] = ()
    """Warnings for the person, a sentence each."""
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    """Numbers by names that carry their unit."""
