"""Between encodings one stays on the spheres of their blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_ros.task_inference.sphere import blend, interpolate, project_z

BLOCKS = (3, 2, 4)


def random_z(seed: int) -> np.ndarray:
    return project_z(np.random.default_rng(seed).normal(size=9), BLOCKS)


def norms(z: np.ndarray) -> list[float]:
    return [float(np.linalg.norm(part)) for part in np.split(z, [3, 5])]


@given(seed=st.integers(0, 1000), share=st.floats(0.0, 1.0))
def test_the_way_stays_on_the_spheres(seed: int, share: float) -> None:
    z = interpolate(random_z(seed), random_z(seed + 1), share, BLOCKS)
    np.testing.assert_allclose(norms(z), np.sqrt(BLOCKS), rtol=1e-6)


@given(seed=st.integers(0, 1000), share=st.floats(0.0, 1.0))
def test_the_angle_to_the_start_grows_evenly(seed: int, share: float) -> None:
    start, end = random_z(seed), random_z(seed + 1)
    z = interpolate(start, end, share, BLOCKS)
    for a, b, c in zip(*(np.split(v, [3, 5]) for v in (start, end, z)), strict=True):
        whole = np.arccos(np.clip(a @ b / len(a), -1.0, 1.0))
        if whole > 3.1:
            continue  # Between opposite ends there is no shortest way; the next test has them.
        assert np.arccos(np.clip(a @ c / len(a), -1.0, 1.0)) == pytest.approx(
            share * whole, abs=1e-5
        )


def test_an_open_block_is_that_of_the_end_at_once() -> None:
    start, end = random_z(0), random_z(1)
    start[:3] = 0.0
    end[3:5] = 0.0
    z = interpolate(start, end, 0.1, BLOCKS)
    np.testing.assert_array_equal(z[:5], end[:5])
    assert not np.allclose(z[5:], end[5:])


def test_opposite_ends_have_a_way_without_nan() -> None:
    z = interpolate(random_z(0), -random_z(0), 0.5, BLOCKS)
    assert np.all(np.isfinite(z))


def test_a_blend_with_all_the_weight_on_one_is_that_one() -> None:
    a, b = random_z(0), random_z(1)
    np.testing.assert_allclose(blend([a, b], [0.7, 0.0], BLOCKS), a)
    # In between, it is as far from one as from the other.
    middle = blend([a, b], [2.0, 2.0], BLOCKS)
    np.testing.assert_allclose(norms(middle), np.sqrt(BLOCKS))
    assert middle @ a == pytest.approx(middle @ b)


def test_a_blend_leaves_open_what_all_leave_open_and_takes_what_one_asks() -> None:
    a, b = random_z(0), random_z(1)
    a[:3] = b[:3] = 0.0
    a[3:5] = 0.0
    z = blend([a, b], [0.9, 0.1], BLOCKS)
    assert not np.any(z[:3])
    np.testing.assert_allclose(z[3:5], b[3:5])
