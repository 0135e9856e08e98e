"""Conditions that count as faults only when they last."""

from __future__ import annotations

import numpy as np

from fb_ros.control.fall import FALL_SECONDS, FallWatch
from fb_ros.control.guards import beyond_limits
from fb_ros.control.joint_reading import JointReading
from fb_ros.control.limits import limits_of
from fb_ros.robot.robot_spec import RobotSpec


class Lasting:
    """Notices when a condition has held without a break for as long as is allowed."""

    def __init__(self, period: float) -> None:
        """`period` (s) is the time between checks; times are met to the nearest check."""
        self._period = period
        self._since: float | None = None

    def forget(self) -> None:
        """Starts counting from zero."""
        self._since = None

    def is_too_long(self, is_so: bool, now: float, allowed: float) -> bool:
        """Records the condition at `now` (s); returns whether it has held for `allowed` seconds.

        With `allowed` 0 it may last for ever.
        """
        if not is_so:
            self._since = None
            return False
        if self._since is None:
            self._since = now
        return allowed > 0.0 and now - self._since > allowed - 0.5 * self._period


class LastingFaults:
    """Conditions that are faults when they last, as texts: empty where nothing is wrong."""

    def __init__(self, robot: RobotSpec) -> None:
        self._joints, self._limits = robot.action_joints, limits_of(robot)
        self._beyond, self._guarded = Lasting(robot.ctrl_dt), Lasting(robot.ctrl_dt)
        self._falls, self._fallen = FallWatch(robot), Lasting(robot.ctrl_dt)

    def forget(self) -> None:
        """Forgets for how long anything has been wrong."""
        self._beyond.forget()
        self._guarded.forget()
        self._fallen.forget()

    def beyond_limits(self, reading: JointReading, now: float, allowed: float) -> str:
        """Names joints measured clearly beyond their limits for `allowed` seconds."""
        beyond = beyond_limits(reading, self._limits)
        if not self._beyond.is_too_long(bool(np.any(beyond)), now, allowed):
            return ""
        joints = ", ".join(self._joints[i] for i in np.flatnonzero(beyond))
        return f"{joints} beyond the limits for {allowed:g} s"

    def fallen(self, observation: np.ndarray, now: float) -> str:
        """Reports a robot that lies: it must not struggle on, and stays down until set up."""
        lies = self._falls.fallen(observation)
        if not self._fallen.is_too_long(lies, now, FALL_SECONDS):
            return ""
        return "the robot has fallen; set it on its feet, then call resume"

    def lies(self, observation: np.ndarray) -> bool:
        """Whether the robot lies at this moment."""
        return self._falls.fallen(observation)

    def guarded(self, changed: list[str], now: float, allowed: float) -> str:
        """Names the guards if some of them have `changed` every command for `allowed` seconds."""
        if not self._guarded.is_too_long(bool(changed), now, allowed):
            return ""
        return f"the guards ({', '.join(changed)}) have changed every command for {allowed:g} s"
