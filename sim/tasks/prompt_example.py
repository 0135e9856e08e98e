"""A prompt to try on a robot, and a test of whether the robot does what it asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np

Seen = Mapping[str, np.ndarray]
"""Features of the last second by name, `(steps, k)` each."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PromptExample:
    """A prompt and the behaviour that it should lead to."""

    name: str
    text: str
    """The prompt, as `prompt/skill` and `fb_ros prompt --text` take it."""
    expected: str
    """The behaviour that a person should see."""
    judge: Callable[[Seen], bool]
    """Whether the last second of an episode shows that behaviour."""
    uncertain: bool = False
    """Whether it takes the twin to do it from wherever another prompt has left the robot: in
    sequence, the model alone misses one time in five or so."""
    after: str = ""
    """A prompt that is followed for one episode before this one; empty to start from a reset."""


def mostly(condition: np.ndarray) -> bool:
    """Whether a condition `(steps,)` holds nine tenths of the time."""
    return bool(np.mean(condition) >= 0.9)
