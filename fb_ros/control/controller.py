"""The controller's decisions: when a robot moves, when it stands still, and why."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

import numpy as np

from fb_ros.control.cadence import Cadence
from fb_ros.control.control_settings import ControlSettings
from fb_ros.control.counts import COUNTS
from fb_ros.control.freshness import Freshness
from fb_ros.control.guarded_command import GuardedCommand
from fb_ros.control.lasting import LastingFaults
from fb_ros.control.present_z import PresentZ
from fb_ros.control.sent_before import SentBefore
from fb_ros.control.standing import Standing
from fb_ros.control.step import Observation, Order, Step
from fb_ros.robot.robot_spec import RobotSpec


class Controller:
    """Decides which command is sent; uses no middleware, and no clock but the times it is given.

    `now` is always the robot's clock in seconds. A *fault* ends by itself when its cause is over;
    a *halt* lasts until `resume`. In both cases the controller sends the stop command several
    times, a period apart, and then nothing.
    """

    def __init__(
        self, robot: RobotSpec, *, model_id: str, z_dim: int, settings: ControlSettings
    ) -> None:
        self._robot = robot
        self._guards = GuardedCommand(robot)
        self._cadence = Cadence(robot.ctrl_dt)
        self._standing = Standing(robot, self._on_stop)
        self._fresh = Freshness()
        self._present_z = PresentZ(model_id, z_dim)
        self._lasting = LastingFaults(robot)
        self._sent = SentBefore(robot)
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
        """How often each event of `COUNTS` happened."""
        self._answer: Order | None = None
        """The command for the newest observation; None until that observation is answered."""
        self.change(settings)

    def change(self, settings: ControlSettings) -> None:
        """Takes new settings, from the next step on."""
        self.settings = settings
        self._timeout = settings.observation_timeout or 3.0 * self._robot.ctrl_dt
        self._guards.smoothing = settings.smoothing

    @property
    def interventions(self) -> Counter[str]:
        """How many commands each guard has changed."""
        return self._guards.interventions

    @property
    def z(self) -> np.ndarray | None:
        """The encoding in force."""
        return self._present_z.value

    @property
    def halted(self) -> str:
        """Why the robot stands still until `resume`; empty when it does not."""
        return self._standing.halt

    @property
    def fault(self) -> str:
        """Why the robot stands still until the fault is over; empty when nothing is wrong."""
        return self._standing.fault

    @property
    def moving(self) -> bool:
        """Whether the robot obeys the policy at present."""
        return self._answer is not None and not self.fault and not self.halted

    def observation_age(self, now: float) -> float | None:
        """Seconds since the newest observation; None before the first."""
        return self._fresh.age(now)

    def activate(self) -> None:
        """Answers observations from now on; the first command starts from the measured state.

        Until then the robot is ordered to stand: its previous controller may have left it moving.
        """
        self._standing.take_over()
        self._begin()

    def deactivate(self) -> Order | None:
        """Answers nothing from now on; returns the stop command if the robot was moving."""
        self._standing.active = False
        return self._standing.stop()

    def observe(self, observation: Observation, now: float) -> Step | Order | None:
        """Takes in an observation; returns the step that is due, or an order, or None."""
        self._notice_jump(now)
        problem = observation.problem(self._robot.obs_dim)
        if problem:
            return self.refuse_observation(problem)
        fresh = self._fresh
        if fresh.is_repeated(observation):
            # A simulation in lock-step repeats a state. The state gets the same answer again: an
            # answer from a newer z would make the trajectory depend on chance.
            return self._answer if self.moving else self._step()
        oldest = self._timeout if self.settings.check_stamps else math.inf
        verdict = fresh.take(observation, now, oldest)
        if verdict != "taken":
            self.counts[f"{verdict}_observations"] += 1
        if verdict == "reordered":
            return None
        if verdict == "late":
            return self._blind(observation.lateness(now))
        reading = self._standing.reading = observation.reading
        reason = self._lasting.beyond_limits(reading, now, self.settings.limit_timeout)
        reason = reason or self._lasting.fallen(observation.values, now)
        if self.halted:
            return None
        if reason:
            return self._standing.hold(reason)
        if self.z is None:
            self._standing.see()
        if not self._cadence.is_due(fresh.time):
            return None
        self._answer = None
        step = self._step()
        if step is not None:
            self.counts["deadline_misses"] += self._cadence.step(fresh.time)
        return step

    def refuse_observation(self, reason: str) -> Order | None:
        """Takes note of an observation that cannot be used."""
        self.counts["refused_observations"] += 1
        return self._blind(f"observation refused: {reason}")

    def take_z(self, z: np.ndarray, model: str) -> Step | Order | None:
        """Takes in an encoding; returns the step that waited for one, or a stop, or None."""
        reason = self._present_z.take(z, model)
        if reason:
            self.counts["refused_z"] += 1
            return self._standing.stand(f"z refused: {reason}")
        # After a fault only a new observation starts the robot again.
        step = self._step() if self._answer is None and not self.fault else None
        if step is not None:
            self._cadence.step(self._fresh.time)
        return step

    def miss_z(self, seconds: float) -> Order | None:
        """Takes note that no z has come for `seconds`; after its time-out the old z is dropped."""
        if not self._present_z.goes_stale(seconds, self.settings.z_timeout):
            return None
        self.counts["stale_z"] += 1
        return self._standing.stand(self._present_z.lack(self.settings.z_timeout))

    def complete(self, step: Step, command: np.ndarray, now: float) -> Order | None:
        """Returns the policy's guarded command for `step`, or None if the command is too late."""
        if step.generation != self._standing.generation or self.halted:
            return None
        if command.shape != (self._robot.act_dim,) or not np.all(np.isfinite(command)):
            return self._standing.hold("the policy's command was not finite")
        guarded, changed = self._guards.guard(command, step.observation.reading)
        reason = self._lasting.guarded(changed, now, self.settings.intervention_timeout)
        if reason:
            return self._standing.hold(reason)
        self._standing.move()
        self._answer = Order(command=guarded, label=step.observation.label)
        return self._answer

    def fail(self, step: Step, reason: str) -> Order | None:
        """Takes note that the policy failed to answer `step`."""
        self.counts["failed_inferences"] += 1
        return self._standing.fail(step, f"the policy failed: {reason}")

    def late(self, step: Step, seconds: float) -> Order | None:
        """Takes note that the policy has not answered `step` within `seconds`."""
        self.counts["late_inferences"] += 1
        return self._standing.fail(step, f"the policy has not answered within {seconds:.3g} s")

    def watch(self, now: float) -> Order | None:
        """Returns the stop command if the observation is too old; call it every period."""
        if self._notice_jump(now) and self._standing.in_motion:
            # The age of the newest observation is no longer known.
            return self._blind("the clock went back")
        if not self._fresh.goes_stale(self._timeout, now) or not self._standing.active:
            return None
        self.counts["stale_observations"] += 1
        return self._blind(f"no observation for {self._timeout:.3g} s")

    def halt(self, reason: str) -> Order | None:
        """Stands still until `resume`; always sends the stop command."""
        return self._standing.hold(reason, anyhow=True)

    def resume(self, now: float) -> str:
        """Ends a halt. Returns what is still missing for that, or an empty text."""
        if not self._standing.active:
            return "the node is not active; activate it first"
        if not self._fresh.is_within(self._timeout, now):
            return "no fresh observation; is the robot up?"
        if self.z is None:
            return "no z yet; publish a prompt"
        if self._fresh.newest is not None and self._lasting.lies(self._fresh.newest.values):
            return "the robot lies; set it on its feet first"
        self._standing.release()
        self._begin()
        return ""

    def stop_again(self) -> Order | None:
        """The stop command, if the robot is to stand and too few stops have been sent."""
        return self._standing.next_stop()

    def _notice_jump(self, now: float) -> bool:
        """Starts over after a clock went backwards, which makes every age meaningless."""
        jumped = self._fresh.jumped_back(now)
        if jumped:
            self.counts["clock_jumps"] += 1
            self._begin()
        return jumped

    def _step(self) -> Step | None:
        standing = self._standing
        newest, z = self._fresh.newest, self.z
        if not standing.active or standing.halt or z is None or newest is None:
            return None
        values = self._sent.fill_in(newest.values, self._guards.before(newest.reading))
        observation = dataclasses.replace(newest, values=values)
        return Step(observation=observation, z=z, generation=standing.generation)

    def _blind(self, reason: str) -> Order | None:
        """Stands still without an observation; older ones are not acted on afterwards."""
        self._fresh.blind()
        return self._standing.stand(reason, blind=True)

    def _on_stop(self, moved: bool) -> None:
        self.counts["stops"] += moved
        self._restart()

    def _begin(self) -> None:
        """Starts over, and forgets how long something has been wrong."""
        self._lasting.forget()
        self._restart()

    def _restart(self) -> None:
        """Starts over from the measured state: clears filters, grid and the answer to repeat."""
        self._answer = None
        self._cadence.restart()
        self._guards.restart()
