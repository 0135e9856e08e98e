"""One episode as recorded, before it is checked."""

from __future__ import annotations

import dataclasses

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recording:
    """Arrays in ExORL's layout, or the reason why there are none."""

    name: str
    """Source of the episode: a file, a group, or rows of one."""
    arrays: Arrays = dataclasses.field(default_factory=dict)
    """`observation`, `action`, `discount` and whatever else is known, each `(T + 1, …)`."""
    problem: str = ""
    """The reason why it cannot be used; empty if none is known yet."""
    note: str = ""
    """Warnings about an episode that can be trained on."""
    cut_off: int = 0
    """Number of its commands that were beyond the robot's limits."""
    motion: dict[str, tuple[np.ndarray, np.ndarray]] = dataclasses.field(default_factory=dict)
    """Position and velocity `(T + 1,)` of each joint for which both were recorded."""
