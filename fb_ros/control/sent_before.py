"""Fills the command before into observations whose policy reads it."""

from __future__ import annotations

import numpy as np

from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec


class SentBefore:
    """Fills in the command before: no sensor measures it, and other sources may lag by one."""

    def __init__(self, robot: RobotSpec) -> None:
        slices = layout_slices(robot.observation)
        self._places = [slices[f.name] for f in robot.observation if f.source == "last_command"]

    def fill_in(self, observation: np.ndarray, command: np.ndarray) -> np.ndarray:
        """The observation `(obs_dim,)` with the command before, `(act_dim,)`, in its place."""
        if not self._places:
            return observation
        filled = observation.copy()
        for place in self._places:
            filled[place] = command
        return filled
