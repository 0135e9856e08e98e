"""Task encodings: `z = E[r(s) B(s, z)]`, block by block, and the `z` drawn for training."""

from __future__ import annotations

import torch

from training.networks import BackwardMap, project_z


def encode(
    backward_map: BackwardMap,
    features: torch.Tensor,
    weights: torch.Tensor,
    asked: torch.Tensor,
) -> torch.Tensor:
    """The encodings of weighted states.

    `features` `(…, n, feature_dim)` and `weights` `(…, n)` give `z` `(…, d)`. `asked`
    `(…, blocks)` is 1 where the task has to do with what a block reads, and 0 where it leaves
    that open: the block's part of `z` is then zero. Block `k` is the
    weighted sum of `B_k(s, z_1 … z_{k-1})`, scaled to its sphere before the next block reads it:
    the fixed point of the papers' equation in as many steps as there are blocks.
    """
    state_part = backward_map.embed_state(features)
    z = features.new_zeros(*features.shape[:-2], backward_map.d)
    size = z.shape[-1] // backward_map.blocks
    for block in range(backward_map.blocks):
        z_part = backward_map.embed_z(z).unsqueeze(-2)
        backward = backward_map.combine(state_part, z_part)
        total = torch.einsum("...n,...nd->...d", weights, backward)
        projected = project_z(total, backward_map.blocks)
        part = slice(block * size, (block + 1) * size)
        own = projected[..., part] * asked[..., block : block + 1]
        z = torch.cat([z[..., : part.start], own, z[..., part.stop :]], dim=-1)
    return z


def sample_sphere(
    count: int, d: int, blocks: int, generator: torch.Generator | None = None
) -> torch.Tensor:
    """Encodings whose blocks are uniform on their spheres, `(count, d)`."""
    return project_z(torch.randn(count, d, generator=generator), blocks)
