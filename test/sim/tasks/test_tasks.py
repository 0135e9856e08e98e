"""Tasks and their figures."""

from __future__ import annotations

import numpy as np
import pytest

from fb_ros.errors import FbRosError
from sim.robots.jaco import SPEC
from sim.tasks.score import reach_figures
from sim.tasks.tasks import make_task


def test_the_reward_is_one_inside_the_radius_and_a_tenth_at_twice_it() -> None:
    reward = make_task("reach", SPEC).reward(np.array([0.0, 0.05, 0.1, 1.0]))
    np.testing.assert_allclose(reward, [1.0, 1.0, 0.1, 0.0], atol=1e-12)


def test_jaco_has_exorls_four_corners() -> None:
    for name, corner in {
        "reach_top_left": (-0.09, 0.09),
        "reach_top_right": (0.09, 0.09),
        "reach_bottom_left": (-0.09, -0.09),
        "reach_bottom_right": (0.09, -0.09),
    }.items():
        np.testing.assert_allclose(make_task(name, SPEC).goal(5, 7), [*corner, 0.001])


def test_an_unknown_task_is_refused_with_the_possible() -> None:
    with pytest.raises(FbRosError, match="possible: reach, reach_top_left"):
        make_task("juggle", SPEC)


def test_figures_are_those_of_the_definition() -> None:
    distances = np.full((4, 250), 0.2)
    distances[0] = 0.0
    distances[1, -25:] = 0.049
    distances[2, -24:] = 0.0  # Its last second begins at 0.2 m, so its mean is 8 mm.
    distances[3, -20:] = 0.0  # The mean of its last second is 4 cm.
    distances[3, -25:-20] = 0.3  # … and now 6 cm.
    figures = reach_figures(make_task("reach", SPEC), distances)
    assert figures["success"] == pytest.approx(0.75)
    assert figures["episodes"] == 4
    assert figures["mean_return"] == pytest.approx((250 + 25 + 24 + 20) / 4, abs=0.01)
