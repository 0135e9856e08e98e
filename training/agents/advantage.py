"""Advantage weighting: which of the data's own actions the policy should imitate.

This is policy improvement for data that do not explore: the policy stays among the data's actions
and takes better ones more often. `w_i = exp(A_i / beta)`, and the objective is
`sum_i u_i log pi(a_i | s_i, z_i)`; see Nair et al. (2020), and Cetin et al. (2024) for the second
form of `u`. Everything is computed in log space, since `w` itself overflows.
"""

from __future__ import annotations

from typing import Literal

import torch

Weighting = Literal["wis", "iwis"]


def log_weights(advantage: torch.Tensor, temperature: float, unit: torch.Tensor) -> torch.Tensor:
    """`log w = A / (beta unit)`, `(n,)`; `unit` is 1 for `beta` in units of `Q`."""
    return advantage / (temperature * unit.clamp(min=1e-6))


def importance_weights(log_w: torch.Tensor, weighting: Weighting) -> torch.Tensor:
    """The weights `u` `(n,)` of samples with `log w` `(n,)`, which sum to one; `n` is at least 2.

    `wis`: `u_i = w_i / sum_j w_j`, whose estimates have a bias of O(1/n). `iwis`: `u_i` is
    proportional to `w_i / sum_{j != i} w_j`, with a bias of O(1/n^2).
    """
    log_share = torch.log_softmax(log_w, dim=-1)
    if weighting == "wis":
        return log_share.exp()
    # w_i / sum_{j != i} w_j = share_i / (1 - share_i). For a weight that is nearly everything, the
    # denominator is the sum of the others: 1 - share would be only rounding error.
    total = torch.logsumexp(log_w, dim=-1, keepdim=True)
    others = _log_sum_of_others(log_w, total)
    return torch.softmax(log_w - others, dim=-1)


def _log_sum_of_others(log_w: torch.Tensor, total: torch.Tensor) -> torch.Tensor:
    largest = log_w.argmax(dim=-1, keepdim=True)
    others = total + torch.log1p(-(log_w - total).exp().clamp(max=0.5))
    # Only the largest weight can be more than half of the total.
    rest = log_w.scatter(-1, largest, -torch.inf).logsumexp(dim=-1, keepdim=True)
    return others.scatter(-1, largest, rest)
