"""Task encodings: `z = E[r(s) B(s, z)]`, block by block, and the `z` drawn for training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch

from training.networks.backward_map import BackwardMap
from training.networks.layers import project_z


class Encoding(NamedTuple):
    """The encoding of a reward."""

    z: torch.Tensor
    """`(…, d)`: each block on its sphere, or zero where the task leaves it open."""
    mean: torch.Tensor
    """`E[r(s) B(s, z)]`, `(…, d)`, over all blocks and in units of the reward `r`: its product
    with `F(s, a, z)` is the value of `r` under the policy of `z`."""


def encode(
    backward_map: BackwardMap,
    features: torch.Tensor,
    weights: torch.Tensor,
    asked: torch.Tensor,
    rewards: torch.Tensor | None = None,
) -> Encoding:
    """The encodings of weighted states.

    `features` are `(…, n, feature_dim)` and `weights` `(…, n)`. `asked` `(…, blocks)` is 1 if the
    task concerns what a block reads, and 0 if it leaves that open. Block `k` is the weighted sum
    of `B_k(s, z_1 … z_{k-1})`, scaled to its sphere before the next block reads it: this reaches
    the fixed point of the papers' equation in as many steps as there are blocks. `rewards` `(…,
    n)` are those of the mean; by default they are the weights.
    """
    rewards = weights if rewards is None else rewards
    state_parts = backward_map.embed_state(features)
    z = features.new_zeros(*features.shape[:-2], backward_map.d)
    means, start = [], 0
    for k, size in enumerate(backward_map.sizes):
        backward = backward_map.block(k, state_parts[k], z)
        both = torch.stack([weights, rewards], dim=-2) @ backward
        means.append(both[..., 1, :])
        own = project_z(both[..., 0, :], (size,)) * asked[..., k : k + 1]
        z = torch.cat([z[..., :start], own, z[..., start + size :]], dim=-1)
        start += size
    return Encoding(z, torch.cat(means, dim=-1) / weights.shape[-1])


def sample_sphere(
    count: int, sizes: Sequence[int], generator: torch.Generator | None = None
) -> torch.Tensor:
    """Encodings whose blocks, of lengths `sizes`, are uniform on their spheres, `(count, d)`."""
    return project_z(torch.randn(count, sum(sizes), generator=generator), sizes)
