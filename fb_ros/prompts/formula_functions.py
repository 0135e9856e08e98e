"""The functions that a reward formula may call.

Values are float64 arrays `(n, k)` of `n` states, or `(1, k)` where they do not depend on the
state, with `k` the number of components; a single number has `k = 1`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.prompts.tolerance import tolerance

Value = np.ndarray | str
"""A string is the name of a sigmoid."""


def truth(value: np.ndarray) -> np.ndarray:
    """1 where the number is not zero and 0 elsewhere, `(n, 1)`."""
    return (single(value, "a condition") != 0.0).astype(np.float64)


def single(value: np.ndarray, what: str) -> np.ndarray:
    """The value, refused if it is a vector."""
    if value.shape[1] != 1:
        raise FbRosError(
            f"{what} has to be a single number, this has {value.shape[1]}; take a component, "
            "such as x[0], or norm(x)"
        )
    return value


def matching(values: Sequence[np.ndarray]) -> None:
    """Refuses vectors of different lengths; single numbers fit all of them."""
    sizes = sorted({value.shape[1] for value in values} - {1})
    if len(sizes) > 1:
        raise FbRosError(f"{sizes[0]} numbers do not go with {sizes[1]}")


def _elementwise(function: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    def call(x: np.ndarray, /) -> np.ndarray:
        return function(x)

    return call


def _norm(x: np.ndarray, /) -> np.ndarray:
    return np.asarray(np.linalg.norm(x, axis=1, keepdims=True))


def _dot(x: np.ndarray, y: np.ndarray, /) -> np.ndarray:
    matching([x, y])
    return np.asarray((x * y).sum(axis=1, keepdims=True))


def _extreme(function: np.ufunc) -> Callable[..., np.ndarray]:
    def call(x: np.ndarray, /, *others: np.ndarray) -> np.ndarray:
        if not others:
            return np.asarray(function.reduce(x, axis=1, keepdims=True))
        matching([x, *others])
        for other in others:
            x = function(x, other)
        return x

    return call


def _where(condition: np.ndarray, x: np.ndarray, otherwise: np.ndarray, /) -> np.ndarray:
    matching([x, otherwise])
    return np.where(truth(condition) != 0.0, x, otherwise)


def _clip(x: np.ndarray, low: np.ndarray, high: np.ndarray, /) -> np.ndarray:
    matching([x, low, high])
    return np.minimum(np.maximum(x, low), high)


def _constant(value: np.ndarray, name: str, size: int) -> list[float]:
    if value.shape != (1, size):
        numbers = "a constant" if size == 1 else f"{size} constants, such as (0, 0.1)"
        raise FbRosError(f"{name} has to be {numbers}")
    return [float(number) for number in value[0]]


def _tolerance(
    x: np.ndarray,
    bounds: np.ndarray | None = None,
    margin: np.ndarray | None = None,
    sigmoid: Value = "gaussian",
    value_at_margin: np.ndarray | None = None,
) -> np.ndarray:
    if not isinstance(sigmoid, str):
        raise FbRosError("sigmoid has to be a name in quotes, such as 'linear'")
    low, high = (0.0, 0.0) if bounds is None else _constant(bounds, "bounds", 2)
    return tolerance(
        x,
        bounds=(low, high),
        margin=0.0 if margin is None else _constant(margin, "margin", 1)[0],
        sigmoid=sigmoid,
        value_at_margin=0.1
        if value_at_margin is None
        else _constant(value_at_margin, "value_at_margin", 1)[0],
    )


FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    **{
        name: _elementwise(function)
        for name, function in {
            "abs": np.abs,
            "exp": np.exp,
            "log": np.log,
            "sqrt": np.sqrt,
            "sin": np.sin,
            "cos": np.cos,
            "tanh": np.tanh,
        }.items()
    },
    "norm": _norm,
    "dot": _dot,
    "min": _extreme(np.minimum),
    "max": _extreme(np.maximum),
    "where": _where,
    "clip": _clip,
    "tolerance": _tolerance,
}

CONSTANTS = {"pi": np.pi, "inf": np.inf}
