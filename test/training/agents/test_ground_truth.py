"""The whole theory in small MDPs, where successor measures have closed forms."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.agents.losses import (
    fb_loss,
    ortho_loss,
    policy_loss,
    q_loss,
    successor_loss,
    successor_measure,
)
from training.networks.encoding import Encoding, encode

STATES, ACTIONS, GAMMA = 6, 3, 0.9
SEEDS = st.integers(0, 10_000)
ONE = torch.ones(1, dtype=torch.float64)


@dataclasses.dataclass(frozen=True)
class Mdp:
    """A random MDP; the data hold every state and action equally often (`rho` is uniform)."""

    transition: torch.Tensor
    """`P(s' | s, a)`, `(STATES ACTIONS, STATES)`."""

    def of_policy(self, policy: torch.Tensor) -> torch.Tensor:
        """`P_pi`, `(STATES, STATES)`, of a policy `pi(a | s)` `(STATES, ACTIONS)`."""
        return (policy.unsqueeze(-1) * self.transition.view(STATES, ACTIONS, STATES)).sum(1)

    def measure(self, policy: torch.Tensor) -> torch.Tensor:
        """`M^pi = P (I - gamma P_pi)^-1`, `(STATES ACTIONS, STATES)`."""
        identity = torch.eye(STATES, dtype=torch.float64)
        return self.transition @ torch.linalg.inv(identity - GAMMA * self.of_policy(policy))

    def next_value(self, policy: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
        """`E[values(s', a')]` for `values` `(STATES ACTIONS, …)`."""
        averaged = torch.einsum("sa,sa...->s...", policy, values.unflatten(0, (STATES, ACTIONS)))
        return self.transition @ averaged

    def optimal(self, reward: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """`Q*` `(STATES ACTIONS,)` and its greedy policy, by policy iteration."""
        policy = torch.full((STATES, ACTIONS), 1.0 / ACTIONS, dtype=torch.float64)
        for _ in range(STATES * ACTIONS):
            q = self.measure(policy) @ reward
            policy = greedy(q)
        return self.measure(policy) @ reward, policy


def greedy(q: torch.Tensor) -> torch.Tensor:
    best = q.view(STATES, ACTIONS).argmax(-1)
    return torch.nn.functional.one_hot(best, ACTIONS).double()


def random_mdp(seed: int, rank: int = STATES) -> Mdp:
    """One whose next states go through so many hidden causes, and so have that rank."""
    generator = torch.Generator().manual_seed(seed)
    causes = torch.randn(STATES * ACTIONS, rank, generator=generator, dtype=torch.float64)
    effects = torch.randn(rank, STATES, generator=generator, dtype=torch.float64)
    return Mdp((2.0 * causes).softmax(-1) @ (2.0 * effects).softmax(-1))


def random_policy(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed + 1)
    return torch.randn(STATES, ACTIONS, generator=generator, dtype=torch.float64).softmax(-1)


def random_backward(seed: int, d: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed + 2)
    return torch.randn(STATES, d, generator=generator, dtype=torch.float64)


def exact_forward(measure: torch.Tensor, backward: torch.Tensor) -> torch.Tensor:
    """The `F` with `F^T B rho` nearest to the measure: exact on all rewards in the span of `B`."""
    covariance = backward.T @ backward / STATES
    return measure @ backward @ torch.linalg.inv(covariance)


def expected_fb_loss(
    mdp: Mdp,
    policy: torch.Tensor,
    forward: torch.Tensor,
    backward: torch.Tensor,
    target: torch.Tensor,
) -> torch.Tensor:
    """The FB loss over all states, actions and `s''`, with the mean over `s'` and `a'`."""
    next_measure = (forward * (mdp.transition @ backward)).sum(-1)
    return fb_loss(
        successor_measure(forward, backward)[None],
        mdp.next_value(policy, target),
        next_measure[None],
        torch.full((STATES * ACTIONS,), GAMMA, dtype=torch.float64),
    )


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_the_fb_loss_is_stationary_at_the_exact_factorisation(seed: int) -> None:
    mdp, policy = random_mdp(seed), random_policy(seed)
    backward = random_backward(seed, STATES).requires_grad_()
    measure = mdp.measure(policy)
    forward = exact_forward(measure, backward.detach()).requires_grad_()
    density = (forward @ backward.T).detach()
    torch.testing.assert_close(density / STATES, measure)
    expected_fb_loss(mdp, policy, forward, backward, density).backward()
    for tensor in (forward, backward):
        assert tensor.grad is not None
        torch.testing.assert_close(tensor.grad, torch.zeros_like(tensor), atol=1e-8, rtol=0)


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_what_the_fb_loss_is_above_its_least_is_half_the_squared_error(seed: int) -> None:
    mdp, policy = random_mdp(seed), random_policy(seed)
    truth = STATES * mdp.measure(policy)
    backward, identity = random_backward(seed, STATES), torch.eye(STATES, dtype=torch.float64)
    forward = torch.randn(STATES * ACTIONS, STATES, dtype=torch.float64)
    found = expected_fb_loss(mdp, policy, forward, backward, truth)
    least = expected_fb_loss(mdp, policy, truth, identity, truth)
    error = forward @ backward.T - truth
    torch.testing.assert_close(found - least, 0.5 * error.square().mean())


@settings(deadline=None, max_examples=20)
@given(SEEDS)
def test_the_other_bellman_errors_vanish_at_the_exact_factorisation(seed: int) -> None:
    mdp, policy = random_mdp(seed), random_policy(seed)
    # Deterministic, since these two square the error of single next states.
    following = mdp.transition.argmax(-1)
    mdp = Mdp(torch.nn.functional.one_hot(following, STATES).double())
    backward = STATES**0.5 * torch.linalg.qr(random_backward(seed, STATES)).Q
    forward = exact_forward(mdp.measure(policy), backward)
    discount = torch.full((STATES * ACTIONS,), GAMMA, dtype=torch.float64)
    next_forward = mdp.next_value(policy, forward)
    z = torch.randn(STATES, dtype=torch.float64)
    errors = (
        successor_loss(forward[None], next_forward, backward[following], discount),
        q_loss((forward @ z)[None], next_forward @ z, (backward @ z)[following], discount),
    )
    for error in errors:
        assert float(error) == pytest.approx(0.0, abs=1e-15)


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(1, STATES - 1))
def test_q_is_exact_for_every_reward_in_the_span_and_no_other(seed: int, d: int) -> None:
    mdp, policy, backward = random_mdp(seed), random_policy(seed), random_backward(seed, d)
    measure = mdp.measure(policy)
    forward = exact_forward(measure, backward)
    reward = backward @ torch.randn(d, dtype=torch.float64)
    torch.testing.assert_close(forward @ (backward.T @ reward) / STATES, measure @ reward)
    other = reward + torch.linalg.svd(backward).U[:, -1]
    error = forward @ (backward.T @ other) / STATES - measure @ other
    assert float(error.abs().max()) > 1e-6


@settings(deadline=None, max_examples=20)
@given(SEEDS, st.integers(1, STATES - 1))
def test_an_mdp_of_low_rank_has_an_exact_factorisation_of_that_rank(seed: int, d: int) -> None:
    """And then, `Q` is exact for every reward at all, whatever the policy."""
    mdp, policy = random_mdp(seed, rank=d), random_policy(seed)
    # The rows of P span what the rows of every successor measure do.
    backward = torch.linalg.svd(mdp.transition).Vh[:d].T
    forward = exact_forward(mdp.measure(policy), backward)
    reward = torch.randn(STATES, dtype=torch.float64)
    q = forward @ (backward.T @ reward) / STATES
    torch.testing.assert_close(q, mdp.transition @ reward + GAMMA * mdp.next_value(policy, q))


def test_gradients_of_all_losses_agree_with_finite_differences() -> None:
    generator = torch.Generator().manual_seed(0)

    def random(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    forward, backward = random(2, 3, 5, 4), random(3, 5, 4)
    targets, discount = random(3, 5, 5), torch.rand(3, 5, dtype=torch.float64)
    for own in (None, 0):
        assert torch.autograd.gradcheck(
            lambda f, b, own=own: fb_loss(
                successor_measure(f, b), targets, (f * b).sum(-1), discount, own
            ),
            (forward.requires_grad_(), backward.requires_grad_()),
        )
    assert torch.autograd.gradcheck(ortho_loss, (backward,))
    next_forward, next_backward = random(3, 5, 4), random(3, 5, 4)
    assert torch.autograd.gradcheck(
        lambda f: successor_loss(f, next_forward, next_backward, discount), (forward,)
    )
    q, next_q, reward = random(2, 7).requires_grad_(), random(7), random(7)
    assert torch.autograd.gradcheck(
        lambda q: q_loss(q, next_q, reward, torch.full((7,), GAMMA, dtype=torch.float64)), (q,)
    )
    # What its price is a share of and its unit are of a Q that is held constant: with a fixed
    # unit and no price, the rest is the gradient of Q itself.
    action = random(7, 2).requires_grad_()
    slope = random(2)
    assert torch.autograd.gradcheck(
        lambda a: policy_loss(a @ slope, 0.0 * a[:, 0], ONE), (action,)
    )


def test_a_state_is_not_its_own_independent_one() -> None:
    torch.manual_seed(0)
    measure, targets = torch.randn(2, 4, 6), torch.randn(4, 6)
    next_measure, discount = torch.randn(2, 4), torch.rand(4)
    kept = torch.ones(4, 6, dtype=torch.bool)
    for row in range(4):
        kept[row, row + 2] = False
    error = (measure - discount[:, None] * targets)[:, kept]
    expected = 2 * (0.5 * error.square().mean() - next_measure.mean())
    torch.testing.assert_close(fb_loss(measure, targets, next_measure, discount, 2), expected)


class Tables:
    """A backward map out of tables: `B_1(s)`, and `B_2(s, z_1)` by the nearest known `z_1`."""

    def __init__(self, first: torch.Tensor, known: torch.Tensor, second: torch.Tensor) -> None:
        """`first` `(STATES, d_1)`, `known` `(n, d_1)` directions, `second` `(n, STATES)`."""
        self.sizes = (first.shape[1], 1)
        self.d = sum(self.sizes)
        self._first, self._known, self._second = first, known, second

    def embed_state(self, features: torch.Tensor) -> list[torch.Tensor]:
        return [features, features]

    def block(self, k: int, states: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        if k == 0:
            return states @ self._first
        nearest = (self._known @ z[: self.sizes[0]]).argmax()
        return (states @ self._second[nearest]).unsqueeze(-1)

    def matrix(self, z: torch.Tensor) -> torch.Tensor:
        """`B(s, z)` of all states, `(STATES, d)`."""
        states = torch.eye(STATES, dtype=torch.float64)
        return torch.cat([self.block(k, states, z) for k in range(2)], dim=-1)

    def encode(self, reward: torch.Tensor) -> Encoding:
        states = torch.eye(STATES, dtype=torch.float64)
        asked = torch.ones(2, dtype=torch.float64)
        return encode(self, states, reward, asked)  # type: ignore[arg-type]


@pytest.fixture
def tables() -> tuple[torch.Tensor, Tables]:
    """Six independent rewards `(6, STATES)`, and two blocks of lengths 2 and 1 that serve them."""
    generator = torch.Generator().manual_seed(3)
    rewards = torch.randn(6, STATES, generator=generator, dtype=torch.float64)
    first = torch.randn(STATES, 2, generator=generator, dtype=torch.float64)
    known = torch.nn.functional.normalize(rewards @ first, dim=-1)
    return rewards, Tables(first, known, rewards)


def test_two_blocks_serve_rewards_that_no_linear_encoding_of_their_rank_does(
    tables: tuple[torch.Tensor, Tables],
) -> None:
    """Universality, constructed: the first block tells the rewards apart, the second adapts.

    `B` of three components that do not depend on `z` span three dimensions, and the six rewards
    span six: the best three leave out the lesser three singular values (Eckart and Young 1936),
    so at least one reward has a wrong `Q`. Two auto-regressive blocks of the same three
    components have the right `Q`, and the optimal policy, for each.
    """
    rewards, backward_map = tables
    mdp = random_mdp(0)
    spread = torch.linalg.svd(rewards)
    left_out = spread.S[3:].square().sum()
    assert float(left_out) > 1.0
    for seed in range(50):
        basis = spread.Vh[:3].T if seed == 0 else random_backward(seed, 3)
        projection = basis @ torch.linalg.pinv(basis)
        missed = (rewards - rewards @ projection).square().sum()
        assert missed >= left_out - 1e-9
        wrong = 0.0
        for reward in rewards:
            q, policy = mdp.optimal(reward)
            forward = exact_forward(mdp.measure(policy), basis)
            error = forward @ (basis.T @ reward) / STATES - q
            wrong = max(wrong, float(error.abs().max()))
        assert wrong > 0.1

    for reward in rewards:
        q, policy = mdp.optimal(reward)
        z, mean = backward_map.encode(reward)
        basis = backward_map.matrix(z)
        # The fixed point of z = E[r B(s, z)], up to the length of its blocks.
        torch.testing.assert_close(mean, basis.T @ reward / STATES)
        forward = exact_forward(mdp.measure(policy), basis)
        torch.testing.assert_close(forward @ mean, q)
        torch.testing.assert_close(greedy(forward @ mean), policy)


def test_the_policy_of_an_encoding_does_not_depend_on_the_rewards_scale(
    tables: tuple[torch.Tensor, Tables],
) -> None:
    rewards, backward_map = tables
    for reward in rewards:
        once, thrice = backward_map.encode(reward), backward_map.encode(3.0 * reward)
        torch.testing.assert_close(once.z, thrice.z)
        torch.testing.assert_close(3.0 * once.mean, thrice.mean)
