"""The auto-regressive encoding: its order, its fixed point, its invariances."""

from __future__ import annotations

import pytest
import torch

from training.encoding import encode, sample_sphere
from training.networks import BackwardMap, Normalizer, project_z

D, BLOCKS, SIZE = 12, 4, 3


@pytest.fixture
def backward_map() -> BackwardMap:
    torch.manual_seed(0)
    return BackwardMap(
        Normalizer(torch.zeros(2), torch.ones(2)),
        feature_dim=2,
        d=D,
        blocks=BLOCKS,
        hidden=16,
        fourier=4,
        fourier_scale=1.0,
    ).double()


def test_a_block_does_not_depend_on_itself_or_on_later_ones(backward_map: BackwardMap) -> None:
    features = torch.randn(2, dtype=torch.float64)
    z = torch.randn(D, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(
        lambda z: backward_map(features[None], z[None])[0], z
    )
    for block in range(BLOCKS):
        rows = jacobian[block * SIZE : (block + 1) * SIZE]
        assert torch.all(rows[:, block * SIZE :] == 0.0)
        if block:
            assert torch.any(rows[:, : block * SIZE] != 0.0)


def test_the_encoding_is_a_fixed_point(backward_map: BackwardMap) -> None:
    features = torch.randn(50, 2, dtype=torch.float64)
    weights = torch.rand(50, dtype=torch.float64)
    z = encode(backward_map, features, weights)
    again = weights @ backward_map(features, z.expand(50, -1))
    torch.testing.assert_close(project_z(again, BLOCKS), z)


def test_the_encoding_of_a_goal_is_b_of_the_goal(backward_map: BackwardMap) -> None:
    goal = torch.randn(1, 2, dtype=torch.float64)
    z = encode(backward_map, goal, torch.ones(1, dtype=torch.float64))
    torch.testing.assert_close(backward_map(goal, z[None])[0], z)


def test_the_encoding_ignores_the_scale_of_the_reward(backward_map: BackwardMap) -> None:
    features = torch.randn(50, 2, dtype=torch.float64)
    reward = torch.randn(50, dtype=torch.float64)
    torch.testing.assert_close(
        encode(backward_map, features, reward), encode(backward_map, features, 7.5 * reward)
    )


def test_batches_are_encoded_one_by_one(backward_map: BackwardMap) -> None:
    features = torch.randn(6, 8, 2, dtype=torch.float64)
    weights = torch.rand(6, 8, dtype=torch.float64)
    together = encode(backward_map, features, weights)
    for index in range(6):
        alone = encode(backward_map, features[index], weights[index])
        torch.testing.assert_close(together[index], alone)


def test_every_block_lies_on_its_sphere(backward_map: BackwardMap) -> None:
    z = sample_sphere(7, D, BLOCKS)
    b = backward_map(torch.randn(7, 2, dtype=torch.float64), z.double())
    for vectors in (z.double(), b):
        norms = vectors.unflatten(-1, (BLOCKS, SIZE)).norm(dim=-1)
        torch.testing.assert_close(norms, torch.full_like(norms, SIZE**0.5))
