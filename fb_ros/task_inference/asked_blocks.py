"""Finds the blocks of `z` that a task asks for."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np


def asked_blocks(
    block_features: Sequence[Sequence[str]], task_features: Collection[str]
) -> np.ndarray:
    """1 for each block that reads a feature which the task uses, and 0 for the others.

    The result is `(blocks,)`, float32. A block of zeros leaves open the features that it reads.
    """
    asked = [any(name in task_features for name in names) for names in block_features]
    return np.array(asked, dtype=np.float32)


AROUND = 64
"""Number of states that fill in what a goal leaves open, if its blocks read more than the goal."""


def goal_blocks(
    block_features: Sequence[Sequence[str]], goal_features: Collection[str]
) -> tuple[np.ndarray, int]:
    """The blocks that a goal asks for, `(blocks,)`, and how many states encode it.

    One state, the goal itself, is enough if these blocks read only the goal's features; otherwise
    `AROUND` of the nearest states are taken, with the goal's values put in.
    """
    asked = asked_blocks(block_features, goal_features)
    read = [names for names, wanted in zip(block_features, asked, strict=True) if wanted]
    return asked, 1 if all(set(names) <= set(goal_features) for names in read) else AROUND
