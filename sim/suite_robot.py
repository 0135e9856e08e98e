"""Robots with a torso from dm_control's suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fb_ros.robot_spec import RobotSpec
from sim.environment import Environment


class SuiteRobot(Environment):
    """A domain of the suite, which draws initial states as its tasks do."""

    confined = False

    def __init__(
        self,
        *,
        spec: RobotSpec,
        physics: Any,
        joints: tuple[str, ...],
        actuators: tuple[str, ...],
        task: Callable[[np.random.RandomState], Any],
        command_gains: tuple[float, ...] = (),
    ) -> None:
        """`task` makes one of the domain's tasks with a generator; the torso is called `torso`.

        `command_gains` are the commands that a control of 1 stands for, where it is not 1.
        """
        self._physics, self._task = physics, task
        super().__init__(
            spec=spec,
            model=physics.model.ptr,
            data=physics.data.ptr,
            joint_names={name: name for name in joints},
            actuators=actuators,
            command_gain=1.0 / np.asarray(command_gains) if command_gains else 1.0,
            base_body="torso",
        )

    def reset(self, rng: np.random.RandomState) -> None:
        """As the domain's own tasks begin."""
        with self._physics.reset_context():
            self._task(rng).initialize_episode(self._physics)
        self._update_poses(self.data)
