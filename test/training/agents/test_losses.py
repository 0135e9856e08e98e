"""The losses against closed forms in a small deterministic MDP."""

from __future__ import annotations

import pytest
import torch

from training.agents.losses import (
    effort,
    fb_loss,
    ortho_loss,
    pessimistic,
    policy_loss,
    q_loss,
    successor_loss,
    successor_measure,
    target_measure,
)

STATES, ACTIONS, GAMMA = 5, 2, 0.9


@pytest.fixture
def mdp() -> dict[str, torch.Tensor]:
    """A ring: action 0 goes left, action 1 right; the policy goes right, except in state 0.

    `forward` and `backward` are the exact factorisation of rank `STATES` for uniform `rho`.
    """
    state = torch.arange(STATES).repeat_interleave(ACTIONS)
    action = torch.arange(ACTIONS).repeat(STATES)
    following = (state + 2 * action - 1) % STATES
    policy = torch.tensor([0, 1, 1, 1, 1])
    transition = torch.eye(STATES, dtype=torch.float64)[following]
    chosen = torch.arange(STATES) * ACTIONS + policy
    # M = P (I - gamma P_pi)^-1, with the first visited state counted.
    measure = transition @ torch.linalg.inv(
        torch.eye(STATES, dtype=torch.float64) - GAMMA * transition[chosen]
    )
    return {
        "following": following,
        "next_pair": following * ACTIONS + policy[following],
        "forward": measure,
        "backward": STATES * torch.eye(STATES, dtype=torch.float64),
    }


def exact_loss(
    forward: torch.Tensor, backward: torch.Tensor, mdp: dict[str, torch.Tensor]
) -> torch.Tensor:
    target = successor_measure(mdp["forward"], mdp["backward"])[mdp["next_pair"]]
    next_measure = (forward * backward[mdp["following"]]).sum(-1)
    discount = torch.full((STATES * ACTIONS,), GAMMA, dtype=torch.float64)
    return fb_loss(
        successor_measure(forward, backward)[None], target, next_measure[None], discount
    )


def test_fb_loss_is_stationary_at_the_exact_factorisation(mdp: dict[str, torch.Tensor]) -> None:
    forward = mdp["forward"].clone().requires_grad_()
    backward = mdp["backward"].clone().requires_grad_()
    exact_loss(forward, backward, mdp).backward()
    assert forward.grad is not None
    assert backward.grad is not None
    torch.testing.assert_close(forward.grad, torch.zeros_like(forward.grad))
    torch.testing.assert_close(backward.grad, torch.zeros_like(backward.grad))


def test_fb_loss_is_least_at_the_exact_factorisation(mdp: dict[str, torch.Tensor]) -> None:
    torch.manual_seed(0)
    best = exact_loss(mdp["forward"], mdp["backward"], mdp)
    for _ in range(20):
        wrong = mdp["forward"] + 0.1 * torch.randn(mdp["forward"].shape, dtype=torch.float64)
        assert exact_loss(wrong, mdp["backward"], mdp) > best


def test_fb_loss_gradient_agrees_with_finite_differences(mdp: dict[str, torch.Tensor]) -> None:
    torch.manual_seed(0)
    forward = torch.randn(STATES * ACTIONS, 3, dtype=torch.float64, requires_grad=True)
    backward = torch.randn(STATES, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda f, b: exact_loss(f, b, mdp), (forward, backward))


def test_values_are_exact_for_every_reward(mdp: dict[str, torch.Tensor]) -> None:
    reward = torch.randn(STATES, dtype=torch.float64)
    z = mdp["backward"].T @ reward / STATES
    q = mdp["forward"] @ z
    # Bellman: Q(s, a) = r(s') + gamma Q(s', pi(s')).
    torch.testing.assert_close(q, reward[mdp["following"]] + GAMMA * q[mdp["next_pair"]])
    assert q_loss(
        q[None],
        q[mdp["next_pair"]],
        reward[mdp["following"]],
        torch.full_like(q, GAMMA),
    ) == pytest.approx(0.0)


def test_successor_loss_is_nothing_where_f_is_the_successor_features_of_b(
    mdp: dict[str, torch.Tensor],
) -> None:
    # B = sqrt(S) e_s is orthonormal under uniform rho; F in its basis is sqrt(S) M.
    backward = STATES**0.5 * torch.eye(STATES, dtype=torch.float64)
    forward = STATES**0.5 * mdp["forward"]
    discount = torch.full((STATES * ACTIONS,), GAMMA, dtype=torch.float64)
    loss = successor_loss(
        forward[None], forward[mdp["next_pair"]], backward[mdp["following"]], discount
    )
    assert float(loss) == pytest.approx(0.0)
    wrong = successor_loss(
        1.1 * forward[None], forward[mdp["next_pair"]], backward[mdp["following"]], discount
    )
    assert float(wrong) > 0.0


def test_ortho_loss_is_its_formula() -> None:
    backward = torch.tensor([[[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]]])
    # Inner products of the pairs: 1, 0 and 2; squared norms: 1, 2 and 4.
    expected = 0.5 * (1 + 0 + 4) * 2 / 6 - (1 + 2 + 4) / 3
    assert float(ortho_loss(backward)) == pytest.approx(expected)


@pytest.mark.parametrize("own", [None, 0, 3])
def test_a_mean_square_has_its_gradient(own: int | None) -> None:
    torch.manual_seed(0)
    backward = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    others = torch.randn(2, 7, 4, dtype=torch.float64, requires_grad=True)
    if own is None:
        assert torch.autograd.gradcheck(
            lambda b: fb_loss(
                successor_measure(b, b), torch.zeros(3, 3), b.sum(-1), torch.ones(3)
            ),
            backward,
        )
    else:
        assert torch.autograd.gradcheck(lambda b, o: ortho_loss(b, o, own), (backward, others))


@pytest.mark.parametrize("coefficient", [0.0, 0.7])
def test_the_target_is_the_pessimistic_measure(coefficient: float) -> None:
    torch.manual_seed(0)
    forward, backward = torch.randn(2, 5, 3), torch.randn(4, 3)
    expected = pessimistic(successor_measure(forward, backward), coefficient)
    torch.testing.assert_close(target_measure(forward, backward, coefficient), expected)


def test_ending_episodes_bootstrap_nothing() -> None:
    measure, target = torch.zeros(1, 1, 1), torch.full((1, 1), 100.0)
    ended = fb_loss(measure, target, torch.zeros(1, 1), torch.zeros(1))
    assert float(ended) == 0.0


def test_pessimism_of_one_takes_the_smaller_of_two() -> None:
    values = torch.tensor([[1.0, 5.0], [3.0, 2.0]])
    torch.testing.assert_close(pessimistic(values, 1.0), torch.tensor([1.0, 2.0]))
    torch.testing.assert_close(pessimistic(values, 0.0), torch.tensor([2.0, 3.5]))


def test_policy_loss_does_not_depend_on_the_scale_of_q() -> None:
    q, price = torch.tensor([1.0, 3.0]), 0.1 * effort(torch.tensor([[0.5], [1.0]]))
    # Efforts 0.25 and 1, at stakes of 1 and 3, in units of the mean of 2.
    expected = 0.1 * (0.25 * 1 + 1.0 * 3) / 4 - 1.0
    assert float(policy_loss(q, price)) == pytest.approx(expected, abs=1e-4)
    assert float(policy_loss(1e3 * q, price)) == pytest.approx(expected, abs=1e-4)
