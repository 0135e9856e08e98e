"""The state nearest to a goal."""

from __future__ import annotations

import numpy as np


def nearest_state(
    seen: np.ndarray, goal: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, int, float]:
    """Scores that order `seen` `(n, k)` by distance to `goal` `(k,)`, the nearest, and how far.

    A difference counts in units of `scale` `(k,)`.

    `|s - g|^2` orders the states as `|s|^2 - 2 s.g` does. It is computed in units of the largest
    coordinate, since the square of a huge goal would overflow, and swallow the states before that.
    """
    unit = max(1.0, float(np.abs(goal).max()))
    seen, goal = seen / scale, goal / unit / scale
    order: np.ndarray = np.square(seen).sum(axis=1) / unit - 2.0 * seen @ goal
    nearest = int(np.argmin(order))
    return order, nearest, float(np.linalg.norm(seen[nearest] / unit - goal)) * unit
