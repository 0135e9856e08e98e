"""dm_control's planar walker: two legs and a torso that stays in a vertical plane."""

from __future__ import annotations

from dm_control.suite import walker

from sim.robots.planar_robot import PlanarRobot, planar_spec

_GEARS = {"hip": 100.0, "knee": 50.0, "ankle": 20.0}

SPEC = planar_spec(
    name="walker",
    gears={
        f"{side}_{joint}": gear for side in ("right", "left") for joint, gear in _GEARS.items()
    },
    ctrl_dt=0.025,
    heights=(0.3, 1.4),
)


class Walker(PlanarRobot):
    """Starts with random joint angles, above the ground or in it, and falls."""

    def __init__(self) -> None:
        super().__init__(
            spec=SPEC,
            physics=walker.stand().physics,
            task=lambda rng: walker.PlanarWalker(move_speed=0, random=rng),
        )
