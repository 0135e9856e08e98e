"""`B(s, z)`: the backward map, in auto-regressive blocks."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from training.networks.layers import Normalizer, ParallelLinear, block_means, project_z


class BackwardMap(nn.Module):
    """`B(s, z)` in auto-regressive blocks: block `k` reads its features and `z_1 … z_{k-1}`.

    `sizes` are the lengths `d_k` of the blocks; one block is plain FB's `B(s)`. `reads` `(blocks,
    feature_dim)` is 1 where a block reads a component of the features. The first layer is the sum
    of a state part and a `z` part, so that one state part serves every `z`. Each block of the
    output lies on the sphere of radius `sqrt(d_k)`.
    """

    def __init__(
        self,
        features: Normalizer,
        *,
        reads: torch.Tensor,
        sizes: Sequence[int],
        hidden: int,
        fourier: int,
        fourier_scale: float,
    ) -> None:
        super().__init__()
        self.features = features
        self.sizes = tuple(sizes)
        self.d, self.blocks = sum(sizes), len(sizes)
        feature_dim = reads.shape[-1]
        # Blocks that read the same features share one computation of their Fourier features.
        views, block_view = torch.unique(reads.float(), dim=0, return_inverse=True)
        self.register_buffer("views", views)
        self.register_buffer("block_view", block_view)
        self.views: torch.Tensor
        self.block_view: torch.Tensor
        self.register_buffer("frequencies", fourier_scale * torch.randn(feature_dim, fourier))
        self.frequencies: torch.Tensor
        self.state_part = ParallelLinear(self.blocks, feature_dim + 2 * fourier, hidden)
        self.z_part = ParallelLinear(self.blocks, self.d, hidden)
        # Block k of the mask passes only the components of z_1 … z_{k-1}.
        block = torch.arange(self.blocks).repeat_interleave(torch.tensor(self.sizes))
        allowed = block[None, :] < torch.arange(self.blocks)[:, None]
        self.register_buffer("mask", allowed.unsqueeze(-1).float())
        self.mask: torch.Tensor
        self.middle = ParallelLinear(self.blocks, hidden, hidden)
        # All blocks are as wide as the largest one; only each block's own length is read.
        widest = max(sizes)
        self.last = ParallelLinear(self.blocks, hidden, widest)
        self._equal = len(set(sizes)) == 1
        used = torch.arange(widest) < torch.tensor(self.sizes).unsqueeze(-1)
        self.register_buffer("used", used.flatten().nonzero()[:, 0], persistent=False)
        self.used: torch.Tensor

    @property
    def reads(self) -> torch.Tensor:
        """1 where a block reads a component of the features, `(blocks, feature_dim)`."""
        return self.views[self.block_view]

    def embed_state(self, features: torch.Tensor) -> torch.Tensor:
        """The part of the first layer that depends only on the features `(…, feature_dim)`.

        All embeddings have the blocks as their first dimension: `(blocks, …, hidden)`.
        """
        x = self.features(features)
        x = x * self.views.view(-1, *[1] * (x.ndim - 1), x.shape[-1])
        angles = x @ self.frequencies
        x = torch.cat([x, angles.sin(), angles.cos()], dim=-1)
        x = x if self.blocks == 1 else x[self.block_view]
        part = torch.baddbmm(self.state_part.bias, x.flatten(1, -2), self.state_part.weight)
        return part.reshape(*x.shape[:-1], part.shape[-1])

    def embed_z(self, z: torch.Tensor) -> torch.Tensor:
        """The part of the first layer that depends only on `z` `(…, d)`; a single block reads
        none."""
        if self.blocks == 1:
            return self.z_part.bias.view(1, *[1] * (z.ndim - 1), -1)
        flat = z.reshape(-1, z.shape[-1]).expand(self.blocks, -1, -1)
        part = torch.baddbmm(self.z_part.bias, flat, self.z_part.weight * self.mask)
        return part.reshape(self.blocks, *z.shape[:-1], part.shape[-1])

    def combine(self, state_part: torch.Tensor, z_part: torch.Tensor) -> torch.Tensor:
        """`B` from the two parts, which broadcast against each other: `(…, d)`."""
        x = functional.relu(state_part + z_part)
        shape = x.shape[1:-1]
        x = functional.relu(self.middle(x.flatten(1, -2)))
        with torch.autocast(x.device.type, enabled=False):
            x = self.last(x.to(self.last.weight.dtype)).transpose(0, 1).flatten(1)
            x = x if self._equal else x[:, self.used]
            return project_z(x.unflatten(0, shape), self.sizes)

    def forward(self, features: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return self.combine(self.embed_state(features), self.embed_z(z))

    def block(self, k: int, state_part: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Only block `k`, `(…, n, d_k)`, for its state part `(…, n, hidden)` and `z` `(…, d)`."""
        size = self.sizes[k]
        z_part = self.z_part.bias[k, 0]
        if k:
            z_part = (z @ (self.z_part.weight[k] * self.mask[k]) + z_part).unsqueeze(-2)
        x = functional.relu(state_part + z_part)
        x = functional.relu(x @ self.middle.weight[k] + self.middle.bias[k])
        x = x @ self.last.weight[k, :, :size] + self.last.bias[k, :, :size]
        return project_z(x, (size,))

    def likeness(self, features: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """How close a state is to what `z` asks for, in each block: `(…, blocks)`, at most 1.

        The likeness is the inner product of `B_k(s, z)` and `z_k` over `d_k`: the reward that `z`
        stands for, at the resolution of each block. A network that reads only `z` would have to
        learn this comparison by itself, and learns it only coarsely.
        """
        return self.compare(self(features, z), z)

    def compare(self, backward: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """The likeness of states whose `B(s, z)` is `backward` `(…, d)`."""
        return block_means(backward * z, self.sizes)
