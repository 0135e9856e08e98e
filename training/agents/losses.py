"""The losses of FB: pure functions of embeddings, in the notation of the papers."""

from __future__ import annotations

from typing import Any

import torch


def pessimistic(values: torch.Tensor, coefficient: float) -> torch.Tensor:
    """Mean over the ensemble (first dimension) minus `coefficient` standard deviations.

    It uses the population's deviation, so that 1 gives the smaller of two members.
    """
    if coefficient == 0.0 or len(values) == 1:
        return values.mean(0)
    return values.mean(0) - coefficient * values.std(0, correction=0)


def successor_measure(forward: torch.Tensor, backward: torch.Tensor) -> torch.Tensor:
    """`F^T B` of every pair: `(…, m, d)` and `(…, n, d)` give `(…, m, n)`."""
    return forward @ backward.transpose(-1, -2)


def target_measure(
    forward: torch.Tensor, backward: torch.Tensor, coefficient: float
) -> torch.Tensor:
    """The pessimistic `F^T B` of every pair, `(…, m, n)`, of an ensemble `(P, …, m, d)`."""
    if coefficient == 0.0:
        # The mean of the products is the product with the mean, which is P times as fast.
        return successor_measure(forward.mean(0), backward)
    return pessimistic(successor_measure(forward, backward), coefficient)


def fb_loss(
    measure: torch.Tensor,
    target_measure: torch.Tensor,
    next_measure: torch.Tensor,
    discount: torch.Tensor,
    own: int | None = None,
) -> torch.Tensor:
    """Bellman error of the successor measure (Touati and Ollivier 2021), summed over the ensemble.

    `measure` `(P, …, m, n)` is `F^T B` on pairs `(i, s''_j)`, `target_measure` `(…, m, n)` is the
    target networks' at the next state, `next_measure` `(P, …, m)` is `F(s_i, a_i)^T B(s'_i)` and
    `discount` `(…, m)` is gamma, or 0 where the episode ended. If the `s''` are the batch's own
    next states, column `own + i` belongs to row `i`: it is not independent of the row and is left
    out.
    """
    error = torch.addcmul(measure, discount.unsqueeze(-1), target_measure, value=-1.0)
    members = len(measure)
    return members * (0.5 * _mean_square_of_others(error, own) - next_measure.mean())


def ortho_loss(
    backward: torch.Tensor, others: torch.Tensor | None = None, own: int = 0
) -> torch.Tensor:
    """Orthonormality loss of `B` over the states of each group: `(…, n, d)`, `n` is at least 2.

    `others` `(…, m, d)` are the states to pair with, of which `own + i` is row `i` itself; by
    default they are the same states.
    """
    gram = backward @ (backward if others is None else others).transpose(-1, -2)
    diagonal = gram.diagonal(offset=own, dim1=-2, dim2=-1)
    return 0.5 * _mean_square_of_others(gram, own) - diagonal.mean()


def _mean_square_of_others(values: torch.Tensor, own: int | None) -> torch.Tensor:
    """Mean square of `values` `(…, m, n)`, leaving out column `own + i` in row `i`."""
    mean: torch.Tensor = _MeanSquare.apply(values, own)
    return mean


class _MeanSquare(torch.autograd.Function):
    """Reads `values` once and writes their gradient once: pairs are the largest tensors, and their
    cost is memory traffic."""

    @staticmethod
    def forward(context: Any, values: torch.Tensor, own: int | None) -> torch.Tensor:
        flat = values.reshape(-1)
        total, count = torch.dot(flat, flat), flat.numel()
        if own is not None:
            diagonal = values.diagonal(offset=own, dim1=-2, dim2=-1)
            total, count = total - diagonal.square().sum(), count - diagonal.numel()
        context.save_for_backward(values)
        context.own, context.count = own, count
        return total / count

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None]:
        (values,) = context.saved_tensors
        slope = values * (gradient * (2.0 / context.count))
        if context.own is not None:
            slope.diagonal(offset=context.own, dim1=-2, dim2=-1).zero_()
        return slope, None


def policy_loss(
    q: torch.Tensor, price: torch.Tensor, unit: torch.Tensor | None = None
) -> torch.Tensor:
    """Policy improvement (TD3's) with a price on acting: `Q` and `price` are `(n,)`.

    An action costs its `price` times the `Q` at stake. So the price is small far from the goal,
    where the gain of moving is small, too; and joints that a robot at its goal does not need stay
    still. The loss is in units of the mean magnitude of `Q`, or of `unit`.
    """
    unit = q.detach().abs().mean() if unit is None else unit
    at_stake = q.detach().clamp(min=0.0)
    return ((at_stake * price).mean() - q.mean()) / (unit + 1e-6)


def effort(action: torch.Tensor) -> torch.Tensor:
    """The mean square of actions `(n, act_dim)`, `(n,)`."""
    return action.square().mean(-1)


def advantage_loss(log_prob: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Policy improvement by weighted likelihood of the data's actions.

    `log_prob` `(n,)` belongs to the data's actions; `weights` `(n,)` are the `u` of
    `training.agents.advantage`, constants.
    """
    return -(weights.detach() * log_prob).sum()


def successor_loss(
    forward: torch.Tensor,
    next_forward: torch.Tensor,
    next_backward: torch.Tensor,
    discount: torch.Tensor,
) -> torch.Tensor:
    """Bellman error of `F` as the successor features of `B`, summed over the ensemble.

    Where `B` is orthonormal, the `F` that minimises `fb_loss` is `F = E[B(s') + gamma F(s', a')]`.
    This loss takes the mean over `s''` exactly, without the noise of sampling fewer `s''` than `F`
    has dimensions. `forward` is `(P, …, d)`, the others are `(…, d)`, `discount` is `(…)`.
    """
    target = next_backward + discount.unsqueeze(-1) * next_forward
    return len(forward) * 0.5 * (forward - target).square().sum(-1).mean()


def q_loss(
    q: torch.Tensor, next_q: torch.Tensor, reward: torch.Tensor, discount: torch.Tensor
) -> torch.Tensor:
    """Bellman error of `Q = F^T z` for the reward `B(s', z)^T z` that `z` stands for.

    `q` is `(P, …, m)`, the rest `(…, m)`; it is not normalised: the caller chooses the scale.
    """
    target = reward + discount * next_q
    return len(q) * 0.5 * (q - target).square().mean()
