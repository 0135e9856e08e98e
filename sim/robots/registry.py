"""The robots that can be simulated, by name."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from fb_ros.errors import FbRosError
from sim.robots.start import Start

if TYPE_CHECKING:
    from sim.robots.environment import Environment

# Module and class, imported on demand, so that building one robot does not load the others.
_ROBOTS = {
    "jaco": ("sim.robots.jaco", "Jaco"),
    "point_mass": ("sim.robots.point_mass", "PointMass"),
    "walker": ("sim.robots.walker", "Walker"),
    "cheetah": ("sim.robots.cheetah", "Cheetah"),
    "quadruped": ("sim.robots.quadruped", "Quadruped"),
    "go2": ("sim.robots.go2", "Go2"),
}

ROBOT_NAMES = tuple(_ROBOTS)


def require_robot(robot: str) -> None:
    """Refuses the name of an unknown robot."""
    if robot not in _ROBOTS:
        raise FbRosError(f"there is no robot {robot!r}; possible: {', '.join(ROBOT_NAMES)}")


def make_environment(robot: str, start: Start = "benchmark") -> Environment:
    """The simulated robot called `robot`; `start` is where it starts."""
    require_robot(robot)
    module, name = _ROBOTS[robot]
    try:
        environment: Environment = getattr(importlib.import_module(module), name)()
    except ModuleNotFoundError as error:
        raise FbRosError(
            f"the Python package {error.name} is missing; install it with "
            "`pip install 'fb_ros[sim]'`"
        ) from error
    environment.start = start
    return environment
