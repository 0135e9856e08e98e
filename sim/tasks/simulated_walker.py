"""A walking robot that is simulated here, without any process or topic."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sim.robots.environment import Environment
from sim.tasks.follow import CommandOf
from sim.tasks.square import Whereabouts
from sim.tasks.velocity_task import ControllerFor


class SimulatedWalker:
    """Keeps the velocity that it was asked for last, from standing."""

    def __init__(
        self,
        environment: Environment,
        controller_for: ControllerFor,
        on_step: Callable[[Whereabouts], None] = lambda now: None,
    ) -> None:
        """`on_step` is called after every control period."""
        self._environment, self._controller_for = environment, controller_for
        self._on_step = on_step
        self._command_of: CommandOf = controller_for(np.zeros(3))
        self._steps = 0

    def ask_velocity(self, vx: float, vy: float, wz: float) -> None:
        """Keeps another velocity from now on, m/s and rad/s."""
        self._command_of = self._controller_for(np.array([vx, vy, wz]))

    def whereabouts(self) -> Whereabouts:
        """Where the robot is now."""
        state = self._environment.robot_state()
        assert state.base_position is not None
        assert state.base_orientation is not None
        seconds = self._steps * self._environment.spec.ctrl_dt
        return Whereabouts.of(seconds, state.base_position, state.base_orientation)

    def wait_until(self, seconds: float) -> Whereabouts:
        """Simulates until `seconds` of the robot's clock; returns where it is then."""
        now = self.whereabouts()
        while now.seconds < seconds:
            self._environment.step(self._command_of(self._environment))
            self._steps += 1
            now = self.whereabouts()
            self._on_step(now)
        return now
