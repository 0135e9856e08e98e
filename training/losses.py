"""The losses of FB: pure functions of embeddings, in the notation of the papers."""

from __future__ import annotations

import torch


def pessimistic(values: torch.Tensor, coefficient: float) -> torch.Tensor:
    """Mean over the ensemble (first dimension) minus `coefficient` standard deviations.

    The deviation is the population's, so that 1 of two members gives the smaller one.
    """
    if coefficient == 0.0 or len(values) == 1:
        return values.mean(0)
    return values.mean(0) - coefficient * values.std(0, correction=0)


def successor_measure(forward: torch.Tensor, backward: torch.Tensor) -> torch.Tensor:
    """`F^T B` of every pair: `(…, m, d)` and `(…, n, d)` give `(…, m, n)`."""
    return forward @ backward.transpose(-1, -2)


def fb_loss(
    measure: torch.Tensor,
    target_measure: torch.Tensor,
    next_measure: torch.Tensor,
    discount: torch.Tensor,
) -> torch.Tensor:
    """Bellman error of the successor measure (Touati and Ollivier 2021), summed over the ensemble.

    `measure` `(P, …, m, n)` is `F^T B` on independent pairs `(i, s''_j)`, `target_measure`
    `(…, m, n)` the target networks' at the next state, `next_measure` `(P, …, m)` is
    `F(s_i, a_i)^T B(s'_i)` and `discount` `(…, m)` is gamma, 0 where the episode ended.
    """
    error = measure - discount.unsqueeze(-1) * target_measure
    members = len(measure)
    return members * (0.5 * error.square().mean() - next_measure.mean())


def ortho_loss(backward: torch.Tensor) -> torch.Tensor:
    """Orthonormality of `B` over the states of each group: `(…, n, d)`, `n` at least 2."""
    gram = backward @ backward.transpose(-1, -2)
    n = gram.shape[-1]
    diagonal = gram.diagonal(dim1=-2, dim2=-1)
    off_diagonal = (gram.square().sum((-2, -1)) - diagonal.square().sum(-1)) / (n * (n - 1))
    return 0.5 * off_diagonal.mean() - diagonal.mean()


def policy_loss(q: torch.Tensor, action: torch.Tensor, action_penalty: float) -> torch.Tensor:
    """Policy improvement (TD3's) with a price on effort: `Q` `(n,)`, `action` `(n, act_dim)`.

    An action costs `action_penalty` times its mean square times the `Q` that is at stake. So the
    price is small where the goal is far and the gain of moving is a small number, too, and it
    keeps the joints still that a robot at its goal has no use for. In units of the mean
    magnitude of `Q`.
    """
    at_stake = q.detach().clamp(min=0.0)
    effort = at_stake * action.square().mean(-1)
    return (action_penalty * effort - q).mean() / (q.detach().abs().mean() + 1e-6)


def successor_loss(
    forward: torch.Tensor,
    next_forward: torch.Tensor,
    next_backward: torch.Tensor,
    discount: torch.Tensor,
) -> torch.Tensor:
    """Bellman error of `F` as the successor features of `B`, summed over the ensemble.

    Where `B` is orthonormal, the `F` that `fb_loss` asks for is `F = E[B(s') + gamma F(s', a')]`:
    the mean over `s''` is done exactly, without the noise of sampling fewer `s''` than `F` has
    dimensions. `forward` is `(P, …, d)`, the others are `(…, d)`, `discount` is `(…)`.
    """
    target = next_backward + discount.unsqueeze(-1) * next_forward
    return len(forward) * 0.5 * (forward - target).square().sum(-1).mean()


def q_loss(
    q: torch.Tensor, next_q: torch.Tensor, reward: torch.Tensor, discount: torch.Tensor
) -> torch.Tensor:
    """Bellman error of `Q = F^T z` for the reward `B(s', z)^T z` that `z` stands for.

    `q` `(P, …, m)`, the rest `(…, m)`; divided by nothing: the caller chooses the scale.
    """
    target = reward + discount * next_q
    return len(q) * 0.5 * (q - target).square().mean()
