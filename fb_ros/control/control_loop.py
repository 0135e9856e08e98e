"""The control loop: carries out what the controller decides; uses no middleware."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from fb_ros.bundle.policy import Policy
from fb_ros.control.control_settings import ControlSettings
from fb_ros.control.controller import Controller
from fb_ros.control.rehearsal import Rehearsal
from fb_ros.control.standing import STOP_REPEATS
from fb_ros.control.step import Observation, Order, Step
from fb_ros.control.watchdog import Watchdog
from fb_ros.robot.robot_spec import RobotSpec

# A step is rehearsed this long before a period ends, at most this share of it. The lead leaves
# time for the rehearsal, for a step, and for an early observation: the last is its shortest.
_LONGEST_LEAD, _LEAD_SHARE, _SHORTEST_LEAD = 0.004, 0.4, 0.001


def rehearsal_lead(ctrl_dt: float) -> float | None:
    """Seconds from a rehearsal to the next step; None where the period is too short for one."""
    lead = min(_LONGEST_LEAD, _LEAD_SHARE * ctrl_dt)
    return lead if lead >= _SHORTEST_LEAD else None


class Alarm(Protocol):
    """Calls a method of the loop some time after it was set, as a timer of rclpy does."""

    def reset(self) -> None:
        """Sets the alarm again."""

    def cancel(self) -> None:
        """Keeps the alarm from ringing."""


class ControlLoop:
    """Asks the policy for the steps that are due, and sends the resulting commands.

    Everything but the watchdog runs in one thread. One lock covers both the decision and the
    sending, so no motion follows a later stop.
    """

    def __init__(
        self,
        robot: RobotSpec,
        policy: Policy,
        *,
        model_id: str,
        z_dim: int,
        settings: ControlSettings,
        send: Callable[[Order], None],
        practise: Callable[[Order], None],
        now: Callable[[], float],
        on_change: Callable[[], None],
        on_answer: Callable[[float], None],
    ) -> None:
        """`practise` treats an order exactly as `send` does, but does not send it.

        `now` is the robot's clock in seconds, 0 while it has none. `on_change` is called after
        everything that may have changed the controller's state, `on_answer` with the seconds from
        an observation's arrival to its command.
        """
        self._robot, self._policy = robot, policy
        self.controller = Controller(robot, model_id=model_id, z_dim=z_dim, settings=settings)
        self._rehearsal = Rehearsal(robot, policy, model_id=model_id, z_dim=z_dim)
        self._send, self._practise, self._now = send, practise, now
        self._on_change, self._on_answer = on_change, on_answer
        # The watchdog calls from its own thread.
        self._lock = threading.RLock()
        self._z_missed = 0
        self._answered: Step | None = None
        self.stops: Alarm | None = None
        """Rings `stop_again` every period once it is set."""
        self.rehearsals: Alarm | None = None
        """Rings `rehearse`, `rehearsal_lead` before the next step."""
        self._lead = rehearsal_lead(robot.ctrl_dt) or 0.0
        self._watchdog = Watchdog(
            settings.inference_timeout or robot.ctrl_dt,
            self._on_late,
            robot.ctrl_dt,
            self._on_waiting,
        )

    def close(self) -> None:
        """Ends the watchdog's thread."""
        self._watchdog.close()

    def change(self, settings: ControlSettings) -> None:
        """Takes new settings, from the next step on."""
        with self._lock:
            self.controller.change(settings)
        self._watchdog.timeout = settings.inference_timeout or self._robot.ctrl_dt

    def activate(self) -> None:
        """Answers observations from now on; the robot stands until the first answer."""
        with self._lock:
            self.controller.activate()
        self._repeat_stops()

    def stand_still(self) -> None:
        """Sends the stop command several times, a period apart, when a state ends. Blocks."""
        with self._lock:
            due = self.controller.deactivate()
        for _ in range(STOP_REPEATS):
            if due is None:
                return
            self._send(due)
            time.sleep(self._robot.ctrl_dt)
            due = self.controller.stop_again()

    # Inputs.

    def observe(self, observation: Observation, arrived: float) -> None:
        """Takes an observation that came at `arrived` of `time.perf_counter`."""
        now = self._now()
        if not now:
            self.refuse("there is no /clock yet; use_sim_time:=false goes by the wall clock")
            return
        self._decide(lambda core: core.observe(observation, now), arrived)

    def refuse(self, reason: str) -> None:
        """Takes note of an observation that cannot be used."""
        self._decide(lambda core: core.refuse_observation(reason))

    def take_z(self, z: np.ndarray, model: str, arrived: float) -> None:
        """Takes an encoding of `model`."""
        self._z_missed = 0
        self._decide(lambda core: core.take_z(z, model), arrived)

    def halt(self, reason: str) -> None:
        """Makes the robot stand still until `resume`."""
        self._decide(lambda core: core.halt(reason))

    def resume(self) -> str:
        """Ends a halt; returns what is still missing for that, or an empty text."""
        with self._lock:
            missing = self.controller.resume(self._now())
        self._on_change()
        return missing

    # Time.

    def watch(self) -> None:
        """Checks the observation's age; call it every period of the robot's clock."""
        self._decide(lambda core: core.watch(self._now()))

    def watch_z(self) -> None:
        """Checks the age of z; call it every period of the wall clock."""
        # Counts timer ticks, so a suspended process does not report a queued z as missing.
        self._z_missed += 1
        seconds = self._z_missed * self._robot.ctrl_dt
        self._decide(lambda core: core.miss_z(seconds))
        # A timer of the robot's clock may stay silent for long after that clock has gone back.
        self.watch()

    def stop_again(self) -> None:
        """Sends the stop command once more, until it has been sent often enough."""
        # The timer runs only while the robot stands still: it costs time that a policy needs.
        if self._decide(lambda core: core.stop_again()) is None and self.stops is not None:
            self.stops.cancel()

    def rehearse(self) -> None:
        """Practises the next step on the last observation, and sends nothing."""
        if self.rehearsals is not None:
            self.rehearsals.cancel()
        if not self.controller.moving or self._answered is None:
            return
        self._watchdog.begin(self._answered)
        order = self._rehearsal.run(self._answered)
        self._watchdog.end()
        if order is not None:
            self._practise(order)

    def _on_late(self, step: Step, seconds: float) -> None:
        # Runs in the watchdog's thread, while the policy is still being waited for.
        self._decide(lambda core: core.late(step, seconds), hanging=True)

    def _on_waiting(self) -> None:
        # Runs in the watchdog's thread, too: the timer that repeats stops waits for the policy.
        self._decide(lambda core: core.stop_again(), hanging=True)

    # Actions.

    def _decide(
        self,
        decide: Callable[[Controller], Step | Order | None],
        arrived: float = 0.0,
        *,
        hanging: bool = False,
    ) -> Step | Order | None:
        """Carries out what the controller decides, and returns it.

        While the policy is `hanging`, the timer that repeats stops hangs, too.
        """
        with self._lock:
            due = decide(self.controller)
            if isinstance(due, Order):
                self._send(due)
        if isinstance(due, Step):
            self._run(due, arrived)
        elif due is not None and not due.label and not hanging:
            self._repeat_stops()
        self._on_change()
        return due

    def _run(self, step: Step, arrived: float) -> None:
        """Asks the policy, without holding the lock: the policy may hang."""
        self._watchdog.begin(step)
        command, problem = np.empty(0), ""
        try:
            command = self._policy.command(step.observation.values, step.z)
        except Exception as error:
            # Whatever a runtime throws, the robot is ordered to stand still.
            problem = " ".join(f"{type(error).__name__}: {error}".split())
        self._watchdog.end()
        with self._lock:
            core = self.controller
            order = (
                core.fail(step, problem) if problem else core.complete(step, command, self._now())
            )
            if order is not None:
                self._send(order)
        if problem or order is None or core.halted:
            # The command came too late, or must not be sent.
            self._repeat_stops()
            return
        taken = time.perf_counter() - arrived
        self._on_answer(taken)
        self._answered = step
        # A slow policy would still be rehearsing when the robot waits for it.
        if self.rehearsals is not None and taken < 0.5 * self._lead:
            self.rehearsals.reset()

    def _repeat_stops(self) -> None:
        if self.stops is not None:
            self.stops.reset()
