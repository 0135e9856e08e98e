"""Which blocks of `z` a task is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np


def asked_blocks(
    block_features: Sequence[Sequence[str]], task_features: Collection[str]
) -> np.ndarray:
    """1 for each block that reads a feature that the task speaks of, and 0 for the others.

    `(blocks,)`, float32. A block of zeros leaves open what it reads.
    """
    asked = [any(name in task_features for name in names) for names in block_features]
    return np.array(asked, dtype=np.float32)


AROUND = 64
"""States that stand in for what a goal leaves open, where its blocks read more than the goal."""


def goal_blocks(
    block_features: Sequence[Sequence[str]], goal_features: Collection[str]
) -> tuple[np.ndarray, int]:
    """The blocks that a goal asks for, `(blocks,)`, and how many states encode it.

    One state, the goal itself, where these blocks read nothing but the goal's features; else
    `AROUND` of the nearest states with the goal in them.
    """
    asked = asked_blocks(block_features, goal_features)
    read = [names for names, wanted in zip(block_features, asked, strict=True) if wanted]
    return asked, 1 if all(set(names) <= set(goal_features) for names in read) else AROUND
