"""Robots with a torso from dm_control's suite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mujoco
import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.environment import Environment

# Largest tilt when it is set down, rad.
_INCLINED = 0.3
# The robot starts below the ground and is raised in these steps until it is free, up to this
# height, m.
_RAISE, _HIGHEST = 0.01, 1.0


class SuiteRobot(Environment):
    """A domain of the suite, with the initial states of the suite's tasks."""

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

        `command_gains` are the commands that a control of 1 stands for, if not 1.
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
        """Starts as the domain's own tasks do, or standing, with any heading and a small tilt."""
        if self.start == "standing":
            self._set_down(rng)
        else:
            with self._physics.reset_context():
                self._task(rng).initialize_episode(self._physics)
        self._poses.update(self.data)

    def _set_down(self, rng: np.random.RandomState) -> None:
        """Sets it down with the model's leg posture, within one raising step of the ground."""
        positions = self._physics.named.data.qpos
        free = self.model.joint(0).type == mujoco.mjtJoint.mjJNT_FREE
        # A planar robot can only tilt in its plane.
        turn = _any_way(rng) if free else rng.uniform(-_INCLINED, _INCLINED, 1)
        # A planar robot's height is relative to the model's own, at which it stands.
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
    """A unit quaternion (w, x, y, z) with any heading and a small tilt."""
    heading = rng.uniform(-np.pi, np.pi)
    roll, pitch = rng.uniform(-_INCLINED, _INCLINED, 2)
    turn = np.array([np.cos(heading / 2), roll / 2, pitch / 2, np.sin(heading / 2)])
    return turn / np.linalg.norm(turn)
