"""Commands to keep, and what counts as kept."""

from __future__ import annotations

import numpy as np
import pytest

from fb_ros.errors import FbRosError
from sim.robots.environment import Environment
from sim.robots.go2 import STANCE
from sim.robots.registry import make_environment
from sim.tasks.follow import CommandOf
from sim.tasks.velocity_task import (
    HIGH,
    LOW,
    Kept,
    asked_velocity,
    keep_velocities,
    require_velocity,
    velocity_figures,
)


def kept(
    mean: tuple[float, float, float], *, asked: tuple[float, ...] = (0.5, 0.0, 0.0), fell: bool
) -> Kept:
    return Kept(asked=np.array(asked), mean=np.array(mean), fell=fell, drift=0.02, return_=100.0)


def test_commands_depend_on_seed_and_number_and_a_fifth_is_to_stand() -> None:
    drawn = np.stack([asked_velocity(3, episode) for episode in range(1000)])
    np.testing.assert_array_equal(drawn[7], asked_velocity(3, 7))
    assert np.all((drawn >= LOW) & (drawn <= HIGH))
    assert np.mean(~drawn.any(axis=1)) == pytest.approx(0.2, abs=0.04)


def test_a_fall_is_no_success_however_well_it_went_before() -> None:
    figures = velocity_figures(
        [
            kept((0.5, 0.0, 0.0), fell=False),
            kept((0.5, 0.0, 0.0), fell=True),
            kept((0.5, 0.2, 0.0), fell=False),
            kept((0.0, 0.0, 0.2), asked=(0.0, 0.0, 0.0), fell=False),
        ]
    )
    assert figures["success"] == 0.5
    assert figures["falls"] == 0.25
    assert figures["mean_velocity_error_mps"] == pytest.approx(0.05)
    assert figures["mean_yaw_rate_error_radps"] == pytest.approx(0.05)
    assert figures["largest_standing_drift_m"] == 0.02


def test_a_robot_that_holds_its_stance_keeps_the_commands_to_stand_alone() -> None:
    environment = make_environment("go2")

    def hold(asked: np.ndarray) -> CommandOf:
        def command_of(environment: Environment) -> np.ndarray:
            return STANCE

        return command_of

    # A seed whose first two commands are one to stand and one to walk.
    seed = next(
        seed
        for seed in range(100)
        if not asked_velocity(seed, 0).any() and np.abs(asked_velocity(seed, 1)[0]) > 0.3
    )
    found = list(keep_velocities(environment, hold, episodes=2, seed=seed, on_and_on=True))
    assert not any(one.fell for one in found)
    assert np.linalg.norm(found[0].mean) < 0.05
    # Its servos are soft: it sinks into its stance, and stays there.
    assert found[0].drift < 0.25
    assert found[0].return_ > 400.0 > found[1].return_


def test_an_arm_keeps_no_velocity() -> None:
    with pytest.raises(FbRosError, match="no velocity that could be kept"):
        require_velocity(make_environment("point_mass").spec)
