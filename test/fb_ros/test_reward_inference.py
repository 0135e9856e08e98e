"""Goals become encodings, or a sentence that says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fb_ros.bundle import load_bundle
from fb_ros.errors import FbRosError
from fb_ros.field import layout_slices
from fb_ros.reward_inference import TaskEncoder


@pytest.fixture
def encoder(shipped_bundle: Path) -> TaskEncoder:
    return TaskEncoder(load_bundle(shipped_bundle))


def test_every_block_of_z_lies_on_its_sphere(encoder: TaskEncoder, shipped_bundle: Path) -> None:
    blocks = load_bundle(shipped_bundle).blocks
    z = encoder.encode_goal(encoder.example_goal()).z
    for part in np.split(z, np.cumsum(blocks)[:-1]):
        assert np.linalg.norm(part) == pytest.approx(len(part) ** 0.5, rel=1e-4)


def test_a_goal_in_the_data_is_encoded_as_it_is(encoder: TaskEncoder) -> None:
    goal = encoder.example_goal()
    answer = encoder.encode_goal(goal)
    assert answer.reachable
    assert answer.outside == pytest.approx(0.0)
    np.testing.assert_array_equal(answer.encoded, goal)


def test_a_goal_far_away_is_replaced_by_the_nearest_point(
    encoder: TaskEncoder, shipped_bundle: Path
) -> None:
    bundle = load_bundle(shipped_bundle)
    seen = bundle.reference_features[:, layout_slices(bundle.robot.features)["tcp_pos"]]
    answer = encoder.encode_goal(np.array([5.0, 0.0, 0.1]))
    assert not answer.reachable
    distances = np.linalg.norm(seen - answer.goal, axis=1)
    assert answer.outside == pytest.approx(distances.min())
    assert np.linalg.norm(answer.encoded - answer.goal) == pytest.approx(distances.min())


def test_a_huge_goal_is_replaced_by_the_nearest_point_too(encoder: TaskEncoder) -> None:
    near, far = (encoder.encode_goal(np.array([x, 0.0, 0.0])) for x in (1e6, 1e300))
    assert far.outside == pytest.approx(1e300)
    assert far.encoded[0] == pytest.approx(near.encoded[0], abs=1e-3)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_goal_that_is_not_finite_is_refused(encoder: TaskEncoder, value: float) -> None:
    with pytest.raises(FbRosError, match="not finite"):
        encoder.encode_goal(np.array([0.0, value, 0.0]))


def test_a_goal_of_another_length_is_refused(encoder: TaskEncoder) -> None:
    with pytest.raises(FbRosError, match="2 numbers"):
        encoder.encode_goal(np.zeros(2))
