"""The auto-regressive encoding: its order, its fixed point, its invariances."""

from __future__ import annotations

import pytest
import torch

from training.networks.backward_map import BackwardMap
from training.networks.encoding import encode, sample_sphere
from training.networks.layers import Normalizer, project_z

D, BLOCKS, SIZE = 12, 4, 3
SIZES = (SIZE,) * BLOCKS
ALL = torch.ones(BLOCKS, dtype=torch.float64)


@pytest.fixture
def backward_map() -> BackwardMap:
    torch.manual_seed(0)
    return BackwardMap(
        Normalizer(torch.zeros(2), torch.ones(2)),
        reads=torch.ones(BLOCKS, 2),
        sizes=SIZES,
        hidden=16,
        fourier=4,
        fourier_scale=1.0,
    ).double()


@pytest.mark.parametrize("sizes", [(3, 3, 3, 3), (6, 1, 3, 2), (12,)])
def test_a_block_does_not_depend_on_itself_or_on_later_ones(sizes: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    backward_map = BackwardMap(
        Normalizer(torch.zeros(2), torch.ones(2)),
        reads=torch.ones(len(sizes), 2),
        sizes=sizes,
        hidden=16,
        fourier=0,
        fourier_scale=1.0,
    ).double()
    features = torch.randn(2, dtype=torch.float64)
    z = torch.randn(D, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(
        lambda z: backward_map(features[None], z[None])[0], z
    )
    start = 0
    for size in sizes:
        rows = jacobian[start : start + size]
        assert torch.all(rows[:, start:] == 0.0)
        # A block of one component is only a sign.
        if start and size > 1:
            assert torch.any(rows[:, :start] != 0.0)
        start += size


def test_unequal_blocks_are_encoded_as_equal_ones_are() -> None:
    torch.manual_seed(0)
    sizes = (5, 1, 4, 2)
    backward_map = BackwardMap(
        Normalizer(torch.zeros(2), torch.ones(2)),
        reads=torch.ones(4, 2),
        sizes=sizes,
        hidden=16,
        fourier=4,
        fourier_scale=1.0,
    ).double()
    features, weights = torch.randn(50, 2).double(), torch.rand(50).double()
    z = encode(backward_map, features, weights, ALL).z
    again = weights @ backward_map(features, z.expand(50, -1))
    torch.testing.assert_close(project_z(again, sizes), z)
    norms = torch.stack([part.norm() for part in z.split(sizes)])
    torch.testing.assert_close(norms, torch.tensor(sizes).double().sqrt())


def test_the_encoding_is_a_fixed_point(backward_map: BackwardMap) -> None:
    features = torch.randn(50, 2, dtype=torch.float64)
    weights = torch.rand(50, dtype=torch.float64)
    z = encode(backward_map, features, weights, ALL).z
    again = weights @ backward_map(features, z.expand(50, -1))
    torch.testing.assert_close(project_z(again, SIZES), z)


def test_the_encoding_of_a_goal_is_b_of_the_goal(backward_map: BackwardMap) -> None:
    goal = torch.randn(1, 2, dtype=torch.float64)
    z = encode(backward_map, goal, torch.ones(1, dtype=torch.float64), ALL).z
    torch.testing.assert_close(backward_map(goal, z[None])[0], z)


def test_the_encoding_ignores_the_scale_of_the_reward(backward_map: BackwardMap) -> None:
    features = torch.randn(50, 2, dtype=torch.float64)
    reward = torch.randn(50, dtype=torch.float64)
    torch.testing.assert_close(
        encode(backward_map, features, reward, ALL).z,
        encode(backward_map, features, 7.5 * reward, ALL).z,
    )


def test_batches_are_encoded_one_by_one(backward_map: BackwardMap) -> None:
    features = torch.randn(6, 8, 2, dtype=torch.float64)
    weights = torch.rand(6, 8, dtype=torch.float64)
    asked = torch.randint(2, (6, BLOCKS)).double()
    together = encode(backward_map, features, weights, asked)
    for index in range(6):
        alone = encode(backward_map, features[index], weights[index], asked[index])
        torch.testing.assert_close(together.z[index], alone.z)
        torch.testing.assert_close(together.mean[index], alone.mean)


def test_every_block_lies_on_its_sphere(backward_map: BackwardMap) -> None:
    z = sample_sphere(7, SIZES)
    b = backward_map(torch.randn(7, 2, dtype=torch.float64), z.double())
    for vectors in (z.double(), b):
        norms = vectors.unflatten(-1, (BLOCKS, SIZE)).norm(dim=-1)
        torch.testing.assert_close(norms, torch.full_like(norms, SIZE**0.5))


def test_the_mean_is_that_of_the_reward_times_b(backward_map: BackwardMap) -> None:
    features = torch.randn(50, 2, dtype=torch.float64)
    weights, rewards = torch.randn(2, 50, dtype=torch.float64)
    encoding = encode(backward_map, features, weights, ALL, rewards)
    backward = backward_map(features, encoding.z.expand(50, -1))
    torch.testing.assert_close(encoding.mean, (rewards[:, None] * backward).mean(0))


def test_a_block_that_is_not_asked_is_zero_and_the_others_do_not_hear_of_it(
    backward_map: BackwardMap,
) -> None:
    features = torch.randn(50, 2, dtype=torch.float64)
    weights = torch.rand(50, dtype=torch.float64)
    asked = torch.tensor([1.0, 0.0, 1.0, 0.0], dtype=torch.float64)
    z = encode(backward_map, features, weights, asked).z
    assert torch.equal(z.unflatten(0, (BLOCKS, SIZE)).abs().sum(-1) > 0, asked > 0)
    again = project_z(weights @ backward_map(features, z.expand(50, -1)), SIZES)
    torch.testing.assert_close(again * asked.repeat_interleave(SIZE), z)


def test_a_block_reads_its_own_features_alone() -> None:
    reads = torch.tensor([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 1.0]])
    backward_map = BackwardMap(
        Normalizer(torch.zeros(3), torch.ones(3)),
        reads=reads,
        sizes=(3, 3, 3),
        hidden=16,
        fourier=4,
        fourier_scale=1.0,
    ).double()
    assert torch.equal(backward_map.reads, reads)
    z = torch.randn(9, dtype=torch.float64)
    jacobian = torch.autograd.functional.jacobian(
        lambda x: backward_map(x[None], z[None])[0], torch.randn(3, dtype=torch.float64)
    )
    slopes = jacobian.unflatten(0, (3, 3)).abs().sum(1)
    assert torch.equal(slopes > 0, reads > 0)
