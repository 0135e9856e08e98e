"""A ramped z leaves from where it is and arrives where it was sent."""

from __future__ import annotations

import numpy as np
import pytest

from fb_ros.errors import FbRosError
from fb_ros.task_inference.ramp import Ramp
from fb_ros.task_inference.sphere import interpolate

BLOCKS = (2, 2)
A = np.array([1.0, 1.0, 1.0, -1.0])
B = np.array([-1.0, 1.0, 1.0, 1.0])


def test_without_a_ramp_z_is_there_at_once() -> None:
    ramp = Ramp(BLOCKS, 0.0)
    for z in (A, B):
        np.testing.assert_array_equal(ramp.go_to(z, 0.0), z)
        assert ramp.arrived(0.0)


def test_the_first_z_is_there_at_once_and_the_next_on_its_way() -> None:
    ramp = Ramp(BLOCKS, 2.0)
    np.testing.assert_array_equal(ramp.go_to(A, 0.0), A)
    np.testing.assert_allclose(ramp.go_to(B, 1.0), A)
    np.testing.assert_allclose(ramp.at(1.5), interpolate(A, B, 0.25, BLOCKS))
    assert not ramp.arrived(1.5)
    np.testing.assert_array_equal(ramp.at(3.0), B)
    assert ramp.arrived(3.0)


def test_a_prompt_on_the_way_sets_off_from_there() -> None:
    ramp = Ramp(BLOCKS, 2.0)
    ramp.go_to(A, 0.0)
    ramp.go_to(B, 0.0)
    there = ramp.at(1.0)
    np.testing.assert_allclose(ramp.go_to(A, 1.0), there)
    np.testing.assert_array_equal(ramp.at(9.0), A)


def test_a_clock_that_went_back_ends_the_way() -> None:
    ramp = Ramp(BLOCKS, 2.0)
    ramp.go_to(A, 10.0)
    ramp.go_to(B, 10.0)
    np.testing.assert_array_equal(ramp.at(3.0), B)


def test_wrong_use_is_refused() -> None:
    with pytest.raises(FbRosError, match="ramp_seconds is -1"):
        Ramp(BLOCKS, -1.0)
    with pytest.raises(FbRosError, match="no z yet"):
        Ramp(BLOCKS, 1.0).at(0.0)
