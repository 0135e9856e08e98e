"""The result of task inference."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.task_inference.objective import Objective


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inference:
    """A task encoding, and the warnings and figures about it."""

    z: np.ndarray
    """`(z_dim,)`, float32."""
    text: str
    """The prompt."""
    task_warnings: tuple[str, ...] = ()
    """Warnings about the task, a sentence each."""
    forecast_warnings: tuple[str, ...] = ()
    """Warnings about how it will go."""
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    """Numbers by names that carry their unit."""
    proposals: np.ndarray | None = None
    """Encodings that may do even better, the most promising first, `(k, z_dim)`; `z` is the first
    of them. None where there was nothing to choose from."""
    objective: Objective | None = None
    """The objective that chose them."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings for the person."""
        return self.task_warnings + self.forecast_warnings
