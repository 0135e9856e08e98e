"""How large numbers are."""

from __future__ import annotations

import numpy as np


def magnitude(values: np.ndarray) -> float:
    """The largest of the values without their signs, and 1 where all are zero.

    What is divided by it is of the order of one, as graphs in float32 want it.
    """
    return float(np.abs(values).max(initial=0.0)) or 1.0
