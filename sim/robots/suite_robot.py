"""Robots with a torso from dm_control's suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.environment import Environment

# How far it may be inclined when it is set down, rad.
_INCLINED = 0.3
# Steps in which it is raised from in the ground until it is free, and how far at most, m.
_RAISE, _HIGHEST = 0.01, 1.0


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
        """As the domain's own tasks begin; or on its feet, looking any way, a little inclined."""
        if self.start == "standing":
            self._set_down(rng)
        else:
            with self._physics.reset_context():
                self._task(rng).initialize_episode(self._physics)
        self._poses.update(self.data)

    def _set_down(self, rng: np.random.RandomState) -> None:
        """Legs as the model has them, and no higher over the ground than a step of raising."""
        positions = self._physics.named.data.qpos
        free = self.model.joint(0).type == mujoco.mjtJoint.mjJNT_FREE
        # In a plane there is one way to be inclined.
        turn = _any_way(rng) if free else rng.uniform(-_INCLINED, _INCLINED, 1)
        # In a plane a height is over the model's own, where it stands.
        height = 0.0 if free else -_HIGHEST
        while height < _HIGHEST:
            with self._physics.reset_context():
                if free:
                    positions["root"] = [0.0, 0.0, height, *turn]
                else:
                    positions["rootz"], positions["rooty"] = height, turn
            if not self.data.ncon:
                return
            height += _RAISE
        raise FbRosError(f"robot {self.spec.name} cannot be set down; it touches something")


def _any_way(rng: np.random.RandomState) -> np.ndarray:
    """A unit quaternion (w, x, y, z) that looks any way and is a little inclined."""
    heading = rng.uniform(-np.pi, np.pi)
    roll, pitch = rng.uniform(-_INCLINED, _INCLINED, 2)
    turn = np.array([np.cos(heading / 2), roll / 2, pitch / 2, np.sin(heading / 2)])
    return turn / np.linalg.norm(turn)
