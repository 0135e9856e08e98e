"""Running a controller in a simulated robot, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fb_ros.robot_state import RobotState
from sim.environment import Environment

CommandOf = Callable[[Environment], np.ndarray]
"""From the environment's present state to a command in physical units."""


def follow(environment: Environment, command_of: CommandOf, steps: int) -> Iterator[RobotState]:
    """The robot's state after each of `steps` control periods."""
    for _ in range(steps):
        environment.step(command_of(environment))
        yield environment.robot_state()
