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
