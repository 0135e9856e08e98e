"""The policy's distribution: a density on the whole interval, its ends included."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.networks import truncated_normal

MEANS, SCALES = st.floats(-1.0, 1.0), st.floats(0.05, 1.0)


@settings(deadline=None)
@given(MEANS, SCALES)
def test_the_density_integrates_to_one(mean: float, scale: float) -> None:
    actions = torch.linspace(-1.0, 1.0, 20_001, dtype=torch.float64).unsqueeze(-1)
    density = truncated_normal.log_prob(
        actions, torch.full_like(actions, mean), torch.full_like(actions, scale)
    ).exp()
    assert float(torch.trapezoid(density, actions[:, 0])) == pytest.approx(1.0, abs=1e-4)


@settings(deadline=None)
@given(MEANS, SCALES)
def test_samples_are_at_their_quantiles(mean: float, scale: float) -> None:
    """The share of the density below a sample is the quantile that it was drawn at."""
    uniform = torch.tensor([0.05, 0.3, 0.8], dtype=torch.float64)
    means, scales = torch.full_like(uniform, mean), torch.full_like(uniform, scale)
    for action, quantile in zip(
        truncated_normal.sample(means, scales, uniform), uniform, strict=True
    ):
        grid = torch.linspace(-1.0, float(action), 20_001, dtype=torch.float64).unsqueeze(-1)
        density = truncated_normal.log_prob(
            grid, torch.full_like(grid, mean), torch.full_like(grid, scale)
        ).exp()
        below = float(torch.trapezoid(density, grid[:, 0]))
        assert below == pytest.approx(float(quantile), abs=1e-4)


def test_the_ends_have_finite_densities_and_gradients() -> None:
    action = torch.tensor([[1.0, -1.0, 1.0, -1.0]])
    mean = torch.tensor([[1.0, 1.0, -1.0, 0.0]], requires_grad=True)
    scale = torch.tensor([[0.05, 0.05, 0.05, 1.0]], requires_grad=True)
    log_prob = truncated_normal.log_prob(action, mean, scale).sum()
    drawn = truncated_normal.sample(mean, scale, torch.tensor([[0.0, 1.0, 1.0, 0.0]]))
    (log_prob + drawn.sum()).backward()
    for tensor in (log_prob, drawn, mean.grad, scale.grad):
        assert tensor is not None
        assert torch.all(torch.isfinite(tensor))
    assert torch.all(drawn.abs() <= 1.0)
    # Half of the Gaussian at the end is cut off: its density there is twice the Gaussian's.
    expected = math.log(2.0 / (0.05 * math.sqrt(2.0 * math.pi)))
    found = truncated_normal.log_prob(action[:, :1], mean[:, :1], scale[:, :1])
    assert float(found.detach()) == pytest.approx(expected, abs=1e-4)


def test_gradients_agree_with_finite_differences() -> None:
    torch.manual_seed(0)
    action = torch.cat([2.0 * torch.rand(4, 3) - 1.0, torch.ones(1, 3)]).double()
    mean = (1.8 * torch.rand(5, 3) - 0.9).double().requires_grad_()
    scale = (0.1 + torch.rand(5, 3)).double().requires_grad_()
    uniform = torch.rand(5, 3).double()
    assert torch.autograd.gradcheck(
        lambda m, s: truncated_normal.log_prob(action, m, s), (mean, scale)
    )
    assert torch.autograd.gradcheck(
        lambda m, s: truncated_normal.sample(m, s, uniform), (mean, scale)
    )
