"""Building blocks of the networks: layers, normalisers and the spheres of `z`."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional


def project_z(z: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """Scales each block of `z` `(..., d)` to the norm `sqrt(d_k)`; `sizes` are the `d_k`."""
    if len(set(sizes)) == 1:
        parts = z.unflatten(-1, (len(sizes), -1))
        return (functional.normalize(parts, dim=-1) * math.sqrt(sizes[0])).flatten(-2)
    return torch.cat(
        [functional.normalize(part, dim=-1) * part.shape[-1] ** 0.5 for part in _split(z, sizes)],
        dim=-1,
    )


def block_means(values: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """The mean over each block of `values` `(..., d)`, `(..., blocks)`."""
    if len(set(sizes)) == 1:
        return values.unflatten(-1, (len(sizes), -1)).mean(-1)
    return torch.stack([part.mean(-1) for part in _split(values, sizes)], dim=-1)


def _split(values: torch.Tensor, sizes: Sequence[int]) -> tuple[torch.Tensor, ...]:
    return values.split(list(sizes), dim=-1)


class Normalizer(nn.Module):
    """Shifts and scales its input by the data's mean and standard deviation, both `(n,)`."""

    def __init__(self, mean: torch.Tensor, std: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        # A component that never varies carries no information: it becomes zero instead of huge.
        self.register_buffer("scale", torch.where(std > 1e-6, 1.0 / std.clamp(min=1e-6), 0.0))
        self.mean: torch.Tensor
        self.scale: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) * self.scale


class ParallelLinear(nn.Module):
    """`count` independent affine maps, from `(count, n, inputs)` to `(count, n, outputs)`."""

    def __init__(self, count: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(count, 1, outputs))
        for weight in self.weight.data:
            nn.init.orthogonal_(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x, self.weight)
