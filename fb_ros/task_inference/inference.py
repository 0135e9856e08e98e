"""What task inference gives."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inference:
    """A task encoding and what is to be said of it."""

    z: np.ndarray
    """`(z_dim,)`, float32."""
    text: str
    """The prompt."""
    warnings: tuple[str, ...] = ()
    """What the person should know, a sentence each."""
    figures: dict[str, float] = dataclasses.field(default_factory=dict)
    """By names that carry their unit."""
