"""dm_control's `tolerance`, which the robot side cannot import."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.settings import require_one_of


def _within(x: np.ndarray, value: np.ndarray) -> np.ndarray:
    """`value` where the scaled distance `x` is below 1, and 0 beyond."""
    return np.where(np.abs(x) < 1.0, value, 0.0)


# Each function maps the distance in margins and the value at one margin to the reward.
_SIGMOIDS: dict[str, Callable[[np.ndarray, float], np.ndarray]] = {
    "gaussian": lambda x, at: np.exp(np.log(at) * x**2),
    "hyperbolic": lambda x, at: 1.0 / np.cosh(x * np.arccosh(1.0 / at)),
    "long_tail": lambda x, at: 1.0 / ((x * np.sqrt(1.0 / at - 1.0)) ** 2 + 1.0),
    "reciprocal": lambda x, at: 1.0 / (np.abs(x) * (1.0 / at - 1.0) + 1.0),
    "tanh_squared": lambda x, at: 1.0 - np.tanh(x * np.arctanh(np.sqrt(1.0 - at))) ** 2,
    "cosine": lambda x, at: _within(
        x * np.arccos(2.0 * at - 1.0) / np.pi,
        (1.0 + np.cos(x * np.arccos(2.0 * at - 1.0))) / 2.0,
    ),
    "linear": lambda x, at: _within(x * (1.0 - at), 1.0 - x * (1.0 - at)),
    "quadratic": lambda x, at: _within(x * np.sqrt(1.0 - at), 1.0 - x**2 * (1.0 - at)),
}

# Sigmoids that reach zero may do so at the margin.
_ENDING = ("cosine", "linear", "quadratic")


def tolerance(
    x: np.ndarray,
    bounds: tuple[float, float] = (0.0, 0.0),
    margin: float = 0.0,
    sigmoid: str = "gaussian",
    value_at_margin: float = 0.1,
) -> np.ndarray:
    """1 where `x` is within `bounds`, falling off outside (`dm_control.utils.rewards`).

    At a distance of `margin` (unit of `x`) from the bounds it is `value_at_margin`, and in
    between it has the shape of `sigmoid`; a margin of 0 falls off at once. Same shape as `x`.
    """
    lower, upper = bounds
    if not lower <= upper:
        raise FbRosError(f"bounds are ({lower:g}, {upper:g}), expected the lower one first")
    if not (np.isfinite(margin) and margin >= 0.0):
        raise FbRosError(f"margin is {margin:g}, expected 0 or more")
    require_one_of("sigmoid", sigmoid, tuple(_SIGMOIDS))
    smallest_ok = value_at_margin >= 0.0 if sigmoid in _ENDING else value_at_margin > 0.0
    if not (smallest_ok and value_at_margin < 1.0):
        raise FbRosError(
            f"value_at_margin is {value_at_margin:g}, expected between 0 and 1 for {sigmoid}"
        )
    inside = (lower <= x) & (x <= upper)
    if margin == 0.0:
        return np.where(inside, 1.0, 0.0)
    distance = np.where(x < lower, lower - x, x - upper) / margin
    return np.where(inside, 1.0, _SIGMOIDS[sigmoid](distance, value_at_margin))
