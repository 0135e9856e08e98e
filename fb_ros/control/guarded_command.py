"""Applies all guards in order, and counts which of them stepped in."""

from __future__ import annotations

from collections import Counter

import numpy as np

from fb_ros.control.guards import (
    smoothed,
    within_acceleration,
    within_position,
    within_range,
    within_velocity,
)
from fb_ros.control.joint_reading import JointReading
from fb_ros.control.limits import limits_of
from fb_ros.robot.robot_spec import RobotSpec

GUARDS = ("range", "velocity", "acceleration", "position")
"""Guards that are counted when they change a command; smoothing changes commands by design."""


class GuardedCommand:
    """Keeps a policy's commands within a robot's limits; remembers the command before."""

    def __init__(self, robot: RobotSpec, smoothing: float = 0.0) -> None:
        """`smoothing` is the time constant of a first-order low-pass, in seconds; 0 is none."""
        self._interface, self._dt = robot.action_interface, robot.ctrl_dt
        self._limits = limits_of(robot)
        self.smoothing = smoothing
        self.interventions: Counter[str] = Counter(dict.fromkeys(GUARDS, 0))
        """How many commands each guard has changed."""
        self._previous: np.ndarray | None = None
        self._velocity = np.zeros(robot.act_dim)

    def restart(self) -> None:
        """Forgets the command before: the next one starts from the measured state."""
        self._previous = None

    def before(self, reading: JointReading) -> np.ndarray:
        """The command before, `(act_dim,)`; without one, the one that holds the measured state."""
        return self._start(reading)[0] if self._previous is None else self._previous

    def guard(self, command: np.ndarray, reading: JointReading) -> tuple[np.ndarray, list[str]]:
        """The command `(act_dim,)` that may be sent, and the guards that changed it.

        A joint's position limit overrides its acceleration limit: a joint brakes as hard as it
        must.
        """
        if self._previous is None:
            self._previous, self._velocity = self._start(reading)
        previous, dt, limits = self._previous, self._dt, self._limits
        interface = self._interface
        present = smoothed(command, previous, dt, self.smoothing)
        changed = []
        for name in GUARDS:
            before = present
            if name == "range":
                present = within_range(before, limits)
            elif name == "velocity":
                present = within_velocity(before, previous, reading, limits, interface, dt)
            elif name == "acceleration":
                present = within_acceleration(
                    before, previous, self._velocity, limits, interface, dt
                )
            else:
                present = within_position(before, previous, reading, limits, interface, dt)
            if not np.array_equal(present, before):
                changed.append(name)
        self.interventions.update(changed)
        self._velocity = (present - previous) / dt
        self._previous = present
        return present, changed

    def _start(self, reading: JointReading) -> tuple[np.ndarray, np.ndarray]:
        """The command that holds the measured state, and the speed which it asks for."""
        velocity = np.nan_to_num(reading.velocity)
        if self._interface == "position":
            return reading.position, velocity
        if self._interface == "velocity":
            return within_range(velocity, self._limits), velocity
        return np.zeros_like(velocity), velocity
