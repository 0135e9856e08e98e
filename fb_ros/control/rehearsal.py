"""Rehearses a control step before the real one."""

from __future__ import annotations

import contextlib

from fb_ros.bundle.policy import Policy
from fb_ros.control.control_settings import ControlSettings
from fb_ros.control.controller import Controller
from fb_ros.control.joint_reading import ObservationReader
from fb_ros.control.step import Observation, Order, Step
from fb_ros.robot.robot_spec import RobotSpec

# A rehearsed command is not sent, so nothing about it is worth stopping for.
_SETTINGS = ControlSettings(
    z_timeout=0.0, check_stamps=False, limit_timeout=0.0, intervention_timeout=0.0
)


class Rehearsal:
    """Goes through a control step shortly before the real one is due.

    A process that has slept for a control period finds neither its code nor the policy's weights
    in the processor's caches, and the same step takes three times as long. So the process takes
    the step twice, and the robot waits only for the second one. The rehearsal has its own
    controller, and leaves no trace in the real one.
    """

    def __init__(self, robot: RobotSpec, policy: Policy, *, model_id: str, z_dim: int) -> None:
        self._robot, self._policy, self._model_id = robot, policy, model_id
        self._reader = ObservationReader(robot)
        self._understudy = Controller(robot, model_id=model_id, z_dim=z_dim, settings=_SETTINGS)
        self._understudy.activate()
        self._now = 0.0

    def run(self, step: Step) -> Order | None:
        """The order that `step` would lead to from standing, or None where the policy fails.

        A failure here repeats in the real step, which reports it.
        """
        # Ends any halt left from the last rehearsal.
        self._understudy.resume(self._now)
        self._now += self._robot.ctrl_dt
        values = step.observation.values
        observation = Observation(values=values, reading=self._reader.read(values))
        self._understudy.take_z(step.z, self._model_id)
        due = self._understudy.observe(observation, self._now)
        if not isinstance(due, Step):
            return None
        with contextlib.suppress(Exception):
            command = self._policy.command(values, step.z)
            return self._understudy.complete(due, command, self._now)
        return None
