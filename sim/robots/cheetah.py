"""dm_control's cheetah: a planar runner with a leg in front and one behind."""

from __future__ import annotations

from dm_control.suite import cheetah

from sim.robots.planar_robot import PlanarRobot, planar_spec

_GEARS = {
    "bthigh": 120.0,
    "bshin": 90.0,
    "bfoot": 60.0,
    "fthigh": 90.0,
    "fshin": 60.0,
    "ffoot": 30.0,
}

SPEC = planar_spec(
    name="cheetah",
    gears=_GEARS,
    ctrl_dt=0.01,
    heights=(0.2, 1.0),
)


class Cheetah(PlanarRobot):
    """Starts with random joint angles, after two seconds in which it settles."""

    def __init__(self) -> None:
        super().__init__(
            spec=SPEC,
            physics=cheetah.run().physics,
            task=lambda rng: cheetah.Cheetah(random=rng),
        )
