"""The control loop: carries out what the controller decides on. It knows no middleware."""

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

# A step is rehearsed so many seconds before a period is over, if the process has slept for so
# long by then: time for the rehearsal, for a step, and for an observation that comes early.
_REHEARSAL_LEAD = 0.004
_SHORTEST_SLEEP = 0.006


def rehearsal_delay(ctrl_dt: float) -> float | None:
    """Seconds from a step to the rehearsal of the next one; None where it is not worth it."""
    return ctrl_dt - _REHEARSAL_LEAD if ctrl_dt >= _SHORTEST_SLEEP + _REHEARSAL_LEAD else None


class Alarm(Protocol):
    """A timer that calls a method of the loop some time after it was set, such as rclpy's."""

    def reset(self) -> None:
        """Sets it again."""

    def cancel(self) -> None:
        """Keeps it from ringing."""


class ControlLoop:
    """Asks the policy for the steps that are due, and sends what is to be sent.

    Everything but the watchdog runs in one thread. Deciding and sending are one, under a lock: no
    motion follows a stop that was decided on after it.
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
        """`practise` does with an order all that `send` does, but does not send it.

        `now` is the robot's clock in seconds, 0 while it has none.
        `on_change` is called after everything that may have changed the controller's state,
        `on_answer` with the seconds from an observation's arrival to its command.
        """
        self._robot, self._policy = robot, policy
        self.controller = Controller(robot, model_id=model_id, z_dim=z_dim, settings=settings)
        self._rehearsal = Rehearsal(robot, policy, model_id=model_id, z_dim=z_dim)
        self._send, self._practise, self._now = send, practise, now
        self._on_change, self._on_answer = on_change, on_answer
        # The watchdog speaks from a thread of its own.
        self._lock = threading.RLock()
        self._z_missed = 0
        self._answered: Step | None = None
        self.stops: Alarm | None = None
        """Rings `stop_again` every period from when it is set."""
        self.rehearsals: Alarm | None = None
        """Rings `rehearse` after `rehearsal_delay`."""
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
        """From now on observations are answered; until the first, stop commands are sent."""
        with self._lock:
            self.controller.activate()
        self._repeat_stops()

    def stand_still(self) -> None:
        """The stop command several times, a period apart; for the end of a state. Blocks."""
        with self._lock:
            due = self.controller.deactivate()
        for _ in range(STOP_REPEATS):
            if due is None:
                return
            self._send(due)
            time.sleep(self._robot.ctrl_dt)
            due = self.controller.stop_again()

    # What arrives.

    def observe(self, observation: Observation, arrived: float) -> None:
        """An observation has come, at `arrived` of `time.perf_counter`."""
        now = self._now()
        if not now:
            self.refuse("there is no /clock yet; use_sim_time:=false goes by the wall clock")
            return
        self._decide(lambda core: core.observe(observation, now), arrived)

    def refuse(self, reason: str) -> None:
        """An observation has come that cannot be used."""
        self._decide(lambda core: core.refuse_observation(reason))

    def take_z(self, z: np.ndarray, model: str, arrived: float) -> None:
        """An encoding of `model` has come."""
        self._z_missed = 0
        self._decide(lambda core: core.take_z(z, model), arrived)

    def halt(self, reason: str) -> None:
        """Somebody wants the robot to stand still until `resume`."""
        self._decide(lambda core: core.halt(reason))

    def resume(self) -> str:
        """Somebody wants it to go on; what is missing for that, or nothing."""
        with self._lock:
            missing = self.controller.resume(self._now())
        self._on_change()
        return missing

    # Time.

    def watch(self) -> None:
        """To be called every period of the robot's clock."""
        self._decide(lambda core: core.watch(self._now()))

    def watch_z(self) -> None:
        """To be called every period of the wall clock."""
        # By looks, of which a process that was not run for a while makes up for none: a z that
        # waits in the queue is not missing.
        self._z_missed += 1
        seconds = self._z_missed * self._robot.ctrl_dt
        self._decide(lambda core: core.miss_z(seconds))
        # A timer of the robot's clock may wait for long after that has gone back.
        self.watch()

    def stop_again(self) -> None:
        """The stop command once more, until it has been sent often enough."""
        # Runs while the robot stands still, and only then: it costs time that a policy needs.
        if self._decide(lambda core: core.stop_again()) is None and self.stops is not None:
            self.stops.cancel()

    def rehearse(self) -> None:
        """Practises the next step on the last observation; nothing of it is sent."""
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
        # In the watchdog's thread, while the policy is still being waited for.
        self._decide(lambda core: core.late(step, seconds), hanging=True)

    def _on_waiting(self) -> None:
        # In that thread, too: the timer that repeats stops waits for the policy.
        self._decide(lambda core: core.stop_again(), hanging=True)

    # What is done.

    def _decide(
        self,
        decide: Callable[[Controller], Step | Order | None],
        arrived: float = 0.0,
        *,
        hanging: bool = False,
    ) -> Step | Order | None:
        """Carries out what the controller decides on, and returns it.

        While the policy is `hanging`, so does the timer that repeats stops.
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
        """Asks the policy, without the lock: it may hang."""
        self._watchdog.begin(step)
        command, problem = np.empty(0), ""
        try:
            command = self._policy.command(step.observation.values, step.z)
        except Exception as error:
            # Whatever a runtime raises, the robot is stopped.
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
            # It came too late, or must not be sent.
            self._repeat_stops()
            return
        taken = time.perf_counter() - arrived
        self._on_answer(taken)
        self._answered = step
        # A policy that takes long would still be rehearsing when the robot waits for it.
        if self.rehearsals is not None and taken < 0.5 * _REHEARSAL_LEAD:
            self.rehearsals.reset()

    def _repeat_stops(self) -> None:
        if self.stops is not None:
            self.stops.reset()
