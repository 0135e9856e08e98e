"""Rewards drawn at random are rewards: finite, varying, of many kinds and the same for a seed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from fb_ros.task_inference.candidates import above, baseline
from training.agents.reward_prior import common_spread, draw_rewards, reward_weights

HAND = [[0, 1, 2], [3, 4, 5], [6]]
STATES: dict[str, Callable[[torch.Generator], torch.Tensor]] = {
    "normal": lambda g: torch.randn(60, 64, 7, generator=g),
    "heavy tails": lambda g: torch.randn(60, 64, 7, generator=g) ** 5,
    "far off": lambda g: 1e4 + torch.randn(60, 64, 7, generator=g),
    "few values": lambda g: torch.randint(2, (60, 64, 7), generator=g).float(),
    "one column varies": lambda g: torch.randn(60, 64, 7, generator=g) * torch.eye(7)[6],
    "two states": lambda g: torch.randn(60, 2, 7, generator=g),
}


@pytest.mark.parametrize("states", STATES.values(), ids=STATES)
@pytest.mark.parametrize("asked", [HAND[:1], HAND[1:2], HAND[2:], HAND[:2], HAND])
def test_every_draw_is_finite_and_varies_where_the_states_do(
    states: Callable[[torch.Generator], torch.Tensor], asked: list[list[int]]
) -> None:
    generator = torch.Generator().manual_seed(1)
    x = states(generator)
    rewards = draw_rewards(x, [asked] * len(x), generator)
    assert rewards.shape == x.shape[:2]
    assert torch.all(torch.isfinite(rewards))
    assert torch.all((rewards >= 0.0) & (rewards <= 1.0))
    columns = [column for some in asked for column in some]
    varies = (x[..., columns].amax(1) > x[..., columns].amin(1)).any(-1)
    assert torch.all((rewards.amax(-1) - rewards.amin(-1) > 0.5) == varies)
    weights = reward_weights(rewards)
    assert torch.all(torch.isfinite(weights))
    assert torch.all((weights.abs().sum(-1) > 0.0) == varies)


def test_a_reward_speaks_of_what_it_is_asked_and_of_nothing_else() -> None:
    x = torch.randn(1, 256, 7, generator=torch.Generator().manual_seed(0)).repeat(100, 1, 1)
    other = x.clone()
    other[..., 6] = torch.randn(256, generator=torch.Generator().manual_seed(2))

    def drawn(states: torch.Tensor, asked: list[list[int]]) -> torch.Tensor:
        return draw_rewards(states, [asked] * 100, torch.Generator().manual_seed(7))

    assert torch.equal(drawn(x, HAND[:2]), drawn(other, HAND[:2]))
    differ = (drawn(x, HAND) != drawn(other, HAND)).any(-1)
    assert differ.float().mean() > 0.8


def test_draws_are_of_many_kinds_and_the_same_for_a_seed() -> None:
    x = torch.randn(1, 256, 3, generator=torch.Generator().manual_seed(0)).repeat(400, 1, 1)
    first, again, others = (
        draw_rewards(x, [[[0, 1, 2]]] * 400, torch.Generator().manual_seed(seed))
        for seed in (3, 3, 4)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, others)
    carried = (first > 0.01).float().mean(-1)
    levels = torch.tensor([len(torch.unique(reward)) for reward in first])
    # Sparse and dense ones, thresholds and slopes; and no two alike.
    assert 0.03 < (carried <= 0.1).float().mean() < 0.5
    assert 0.1 < (levels == 2).float().mean() < 0.5
    likeness = torch.corrcoef(first).abs().fill_diagonal_(0.0)
    assert (likeness > 0.999).float().mean() < 0.02
    linear = torch.linalg.lstsq(
        torch.cat([x[0], torch.ones(256, 1)], -1), (first - first.mean(-1, keepdim=True)).T
    ).solution
    explained = (torch.cat([x[0], torch.ones(256, 1)], -1) @ linear).var(0) / first.var(-1)
    assert 0.1 < (explained > 0.999).float().mean() < 0.4


def test_weights_are_those_of_task_inference() -> None:
    generator = torch.Generator().manual_seed(5)
    x = torch.randn(50, 64, 3, generator=generator)
    rewards = draw_rewards(x, [[[0, 1, 2]]] * 50, generator)
    for drawn, weights in zip(
        rewards.double().numpy(), reward_weights(rewards.double()), strict=True
    ):
        np.testing.assert_allclose(weights.numpy(), above(drawn, baseline(drawn)), atol=1e-12)


def test_distances_keep_their_shape() -> None:
    spread = common_spread(torch.tensor([1.0, 7.0, 0.0, 0.0, 0.5]), [[0, 1], [2, 3], [4]])
    torch.testing.assert_close(spread, torch.tensor([5.0, 5.0, 1.0, 1.0, 0.5]))
