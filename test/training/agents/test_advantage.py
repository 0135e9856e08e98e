"""WIS and IWIS: the weights of hand-computed cases, and the orders of their biases."""

from __future__ import annotations

import math
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.agents.advantage import Weighting, importance_weights, log_weights
from training.agents.losses import advantage_loss


def weights_of(w: list[float], weighting: Weighting) -> list[float]:
    log_w = torch.tensor(w, dtype=torch.float64).log()
    return importance_weights(log_w, weighting).tolist()


def test_wis_divides_by_the_sum() -> None:
    assert weights_of([1.0, 2.0, 5.0], "wis") == pytest.approx([0.125, 0.25, 0.625])


def test_iwis_divides_by_the_sum_of_the_others() -> None:
    # 1/7, 2/6 and 5/3, over their sum of 15/7.
    expected = [1 / 15, 7 / 45, 7 / 9]
    assert weights_of([1.0, 2.0, 5.0], "iwis") == pytest.approx(expected)
    # Of two samples, w_i / w_j: 1/3 and 3, over 10/3.
    assert weights_of([1.0, 3.0], "iwis") == pytest.approx([0.1, 0.9])


@pytest.mark.parametrize("weighting", ["wis", "iwis"])
def test_equal_advantages_have_equal_weights(weighting: Weighting) -> None:
    assert weights_of([3.0] * 5, weighting) == pytest.approx([0.2] * 5)


@settings(deadline=None)
@given(st.lists(st.floats(-50.0, 50.0), min_size=2, max_size=8), st.floats(-1e4, 1e4))
def test_weights_sum_to_one_and_ignore_what_all_advantages_share(
    advantages: list[float], shift: float
) -> None:
    log_w = torch.tensor(advantages, dtype=torch.float64)
    for weighting in get_args(Weighting):
        weights = importance_weights(log_w, weighting)
        assert float(weights.sum()) == pytest.approx(1.0)
        shifted = importance_weights(log_w + shift, weighting)
        torch.testing.assert_close(shifted, weights, rtol=1e-6, atol=1e-9)
        assert float(log_w[weights.argmax()]) == pytest.approx(float(log_w.max()))


@pytest.mark.parametrize("weighting", ["wis", "iwis"])
def test_huge_advantages_overflow_nothing(weighting: Weighting) -> None:
    log_w = torch.tensor([1e4, 1.0, -1e4])
    torch.testing.assert_close(importance_weights(log_w, weighting), torch.tensor([1.0, 0.0, 0.0]))


def test_the_temperature_decides_how_much_better_is_better() -> None:
    advantage, unit = torch.tensor([0.0, 1.0]), torch.tensor(2.0)
    expected = torch.tensor([0.0, 1.0 / (0.25 * 2.0)])
    torch.testing.assert_close(log_weights(advantage, 0.25, unit), expected)


def bias(n: int, weighting: Weighting) -> float:
    """Of the estimate of `E[w f] / E[w]` from `n` samples of a two-valued `w`; exact.

    `w` is 4 with probability 0.3, where `f` is 1, and else 1, where `f` is 0. An estimate depends
    on the number of the former alone, which is binomial.
    """
    p, high = 0.3, 4.0
    truth = p * high / (p * high + 1.0 - p)
    expected = 0.0
    for count in range(n + 1):
        weights = weights_of([high] * count + [1.0] * (n - count), weighting)
        chance = math.comb(n, count) * p**count * (1.0 - p) ** (n - count)
        expected += chance * sum(weights[:count])
    return expected - truth


def test_the_bias_of_wis_falls_as_1_over_n_and_that_of_iwis_as_1_over_n_squared() -> None:
    sizes = np.array([64, 128, 256, 512])
    orders: dict[Weighting, float] = {"wis": -1.0, "iwis": -2.0}
    for weighting, order in orders.items():
        biases = [abs(bias(int(n), weighting)) for n in sizes]
        slope = np.polyfit(np.log(sizes), np.log(biases), 1)[0]
        assert slope == pytest.approx(order, abs=0.1)


def test_iwis_has_the_smaller_bias_in_simulation() -> None:
    """`E[exp(A) A] / E[exp(A)]` for Gaussian advantages, which is their variance."""
    generator = torch.Generator().manual_seed(0)
    spread, repeats = 0.7, 200_000
    truth = spread**2
    found: dict[Weighting, list[float]] = {"wis": [], "iwis": []}
    for n in (8, 32):
        advantage = spread * torch.randn(repeats, n, generator=generator, dtype=torch.float64)
        for weighting, biases in found.items():
            weights = importance_weights(advantage, weighting)
            biases.append(float((weights * advantage).sum(-1).mean()) - truth)
    # With four times the samples, a quarter of the bias and a sixteenth of it.
    assert abs(found["iwis"][0]) < 0.5 * abs(found["wis"][0])
    assert found["wis"][1] / found["wis"][0] == pytest.approx(1 / 4, abs=0.1)
    assert abs(found["iwis"][1] / found["iwis"][0]) < 1 / 8


def test_the_policy_takes_up_the_better_actions() -> None:
    log_prob = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    weights = importance_weights(torch.tensor([0.0, 1.0, 2.0], dtype=torch.float64), "iwis")
    advantage_loss(log_prob, weights).backward()
    assert log_prob.grad is not None
    torch.testing.assert_close(log_prob.grad, -weights)
