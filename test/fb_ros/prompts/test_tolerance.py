"""The robot side's `tolerance` is dm_control's."""

from __future__ import annotations

import numpy as np
import pytest
from dm_control.utils import rewards
from hypothesis import given
from hypothesis import strategies as st

from fb_ros.errors import FbRosError
from fb_ros.prompts.tolerance import tolerance

SIGMOIDS = (
    "gaussian",
    "hyperbolic",
    "long_tail",
    "reciprocal",
    "tanh_squared",
    "cosine",
    "linear",
    "quadratic",
)


@given(
    low=st.floats(-2.0, 2.0),
    width=st.floats(0.0, 2.0),
    margin=st.floats(0.01, 3.0) | st.just(0.0),
    sigmoid=st.sampled_from(SIGMOIDS),
    value_at_margin=st.floats(0.01, 0.99),
)
def test_it_agrees_with_dm_control(
    low: float, width: float, margin: float, sigmoid: str, value_at_margin: float
) -> None:
    x = np.linspace(-5.0, 5.0, 41)
    arguments = ((low, low + width), margin, sigmoid, value_at_margin)
    np.testing.assert_allclose(
        tolerance(x, *arguments), rewards.tolerance(x, *arguments), atol=1e-12
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bounds": (1.0, 0.0)}, "the lower one first"),
        ({"bounds": (float("nan"), 0.0)}, "the lower one first"),
        ({"margin": -1.0}, "margin is -1"),
        ({"margin": float("inf")}, "margin is inf"),
        ({"margin": 1.0, "sigmoid": "round"}, "expected one of gaussian"),
        ({"margin": 1.0, "value_at_margin": 0.0}, "value_at_margin is 0"),
        ({"margin": 1.0, "value_at_margin": 1.0}, "value_at_margin is 1"),
    ],
)
def test_wrong_arguments_are_named(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(FbRosError, match=message):
        tolerance(np.zeros(3), **arguments)  # type: ignore[arg-type]
