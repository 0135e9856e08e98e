"""Axes of a body from its orientation."""

from __future__ import annotations

import numpy as np
import pytest

from fb_ros.robot.rotation import upright, z_axis


@pytest.mark.parametrize("angle", [0.0, 0.5, np.pi / 2, np.pi])
def test_a_tilt_about_x_lowers_the_vertical_axis(angle: float) -> None:
    quaternion = np.array([np.cos(angle / 2), np.sin(angle / 2), 0.0, 0.0])
    np.testing.assert_allclose(
        z_axis(quaternion), [0.0, -np.sin(angle), np.cos(angle)], atol=1e-12
    )
    assert upright(quaternion) == pytest.approx(np.cos(angle))


def test_a_turn_about_the_vertical_axis_leaves_a_body_level() -> None:
    assert upright(np.array([np.cos(0.4), 0.0, 0.0, np.sin(0.4)])) == 1.0
