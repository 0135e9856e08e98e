"""Detects from the policy's observation that a robot with a torso has fallen."""

from __future__ import annotations

import numpy as np

from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec

# A robot that stumbles over a step is up again within this time; a fallen one is not.
FALL_SECONDS = 0.3


class FallWatch:
    """Reads from an observation how upright the torso is."""

    def __init__(self, robot: RobotSpec) -> None:
        """A robot without `fallen_below` never falls."""
        slices = layout_slices(robot.observation)
        up = [slices[f.name].start + 2 for f in robot.observation if f.encoding == "z_axis"]
        self._place = up[0] if up else None
        self._below = robot.fallen_below

    def fallen(self, observation: np.ndarray) -> bool:
        """Whether the robot lies, according to its observation `(obs_dim,)`."""
        if self._below is None or self._place is None:
            return False
        return bool(observation[self._place] < self._below)
