"""One episode as somebody recorded it, before it is checked."""

from __future__ import annotations

import dataclasses

import numpy as np

Arrays = dict[str, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recording:
    """Arrays in ExORL's layout, or the reason why there are none."""

    name: str
    """Where it is from: a file, a group, or rows of one."""
    arrays: Arrays = dataclasses.field(default_factory=dict)
    """`observation`, `action`, `discount` and whatever else is known, each `(T + 1, …)`."""
    problem: str = ""
    """Why it cannot be used; empty if nothing is known against it yet."""
    note: str = ""
    """Warnings about it, although it can be trained on."""
    cut_off: int = 0
    """How many of its commands were beyond the robot's limits."""
    motion: dict[str, tuple[np.ndarray, np.ndarray]] = dataclasses.field(default_factory=dict)
    """Position and velocity `(T + 1,)` of each joint of which a recorder knew both."""
