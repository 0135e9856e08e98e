"""A Gaussian truncated at -1 and 1, with a finite density at the ends, where many actions lie.

A tanh of a Gaussian has no density at an action of exactly 1, which clipped commands have; this
density is finite on the whole interval. The mean must lie in [-1, 1], so that at least about half
of the untruncated mass is inside.
"""

from __future__ import annotations

import math

import torch


def log_prob(action: torch.Tensor, mean: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    """Log-density of an action, summed over its components: `(…, n)` each to `(…)`."""
    standard = (action - mean) / scale
    low, high = _ends(mean, scale)
    density = -0.5 * standard.square() - scale.log() - 0.5 * math.log(2.0 * math.pi)
    return (density - (high - low).log()).sum(-1)


def sample(mean: torch.Tensor, scale: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """The action at the quantile `uniform` in [0, 1], of the shape of the mean; differentiable."""
    low, high = _ends(mean, scale)
    # At quantiles 0 and 1 the value before the clamp would be infinite, with gradients of NaN.
    tiny = torch.finfo(mean.dtype).eps
    quantile = (low + uniform * (high - low)).clamp(tiny, 1.0 - tiny)
    return (mean + scale * torch.special.ndtri(quantile)).clamp(-1.0, 1.0)


def _ends(mean: torch.Tensor, scale: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantiles of -1 and 1 under the untruncated Gaussian."""
    low = torch.special.ndtr((-1.0 - mean) / scale)
    return low, torch.special.ndtr((1.0 - mean) / scale)
