"""How large numbers are."""

from __future__ import annotations

import numpy as np


def magnitude(values: np.ndarray) -> float:
    """The largest absolute value, or 1 where all values are zero.

    Numbers divided by it are of the order of one, as graphs in float32 need.
    """
    return float(np.abs(values).max(initial=0.0)) or 1.0
