"""The decisions of a controller: when a robot moves, when it stands still, and why."""

from __future__ import annotations

import dataclasses
import math
from collections import Counter

import numpy as np

from fb_ros.control.cadence import Cadence
from fb_ros.control.control_settings import ControlSettings
from fb_ros.control.guarded_command import GuardedCommand
from fb_ros.control.guards import beyond_limits
from fb_ros.control.joint_reading import JointReading
from fb_ros.control.limits import limits_of
from fb_ros.control.stop_command import stop_command
from fb_ros.robot.robot_spec import RobotSpec

# A command is lost now and then, and forward controllers hold the last one for ever.
STOP_REPEATS = 5
_TAKING_OVER = "taking over"
# A policy that fails so often in a row will not mend itself.
_FAILURES = 5

COUNTS = (
    "refused_observations",
    "late_observations",
    "reordered_observations",
    "stale_observations",
    "refused_z",
    "stale_z",
    "late_inferences",
    "failed_inferences",
    "deadline_misses",
    "clock_jumps",
    "stops",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Observation:
    """What the policy reads at one instant."""

    values: np.ndarray
    """`(obs_dim,)`."""
    reading: JointReading
    """What is measured of the commanded joints."""
    label: str = ""
    """Names the observation, as the command that answers it does; empty where it has no name."""
    stamp: float | None = None
    """When it was measured, in seconds; None where it does not say."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """A policy's command that is due."""

    observation: Observation
    z: np.ndarray
    """`(d,)`."""
    generation: int
    """Of the controller's standing still: a command of an earlier one is not sent any more."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Order:
    """A command to send now."""

    command: np.ndarray
    """`(act_dim,)`, physical units."""
    label: str = ""
    """Names the observation that it answers; empty for a stop."""


class Controller:
    """Decides what is sent to the robot; knows no middleware, and no clock but the times given.

    `now` is always the robot's clock in seconds. A *fault* ends by itself, when what was wrong
    is right again; a *halt* lasts until `resume`. In both the stop command is sent several times,
    a period apart, and then nothing.
    """

    def __init__(
        self, robot: RobotSpec, *, model_id: str, z_dim: int, settings: ControlSettings
    ) -> None:
        self._robot, self._model_id, self._z_dim = robot, model_id, z_dim
        self._limits = limits_of(robot)
        self._guards = GuardedCommand(robot)
        self._cadence = Cadence(robot.ctrl_dt)
        self.counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
        """How often each thing happened."""
        self._active = False
        self._z: np.ndarray | None = None
        self._newest: Observation | None = None
        self._observed_at: float | None = None
        self._newest_time = 0.0
        """Its stamp, or its arrival where it has none: the time that the cadence goes by."""
        self._newest_stamp: float | None = None
        """Of the newest observation that was taken, also when it is too old by now."""
        self._heard_stamp: float | None = None
        """Of the last one that came, taken or not."""
        self._taking_over = False
        """Whether this controller has been activated and has not moved the robot yet."""
        self._reading: JointReading | None = None
        """The newest one, which position control holds; kept when the observation is too old."""
        self._now = -math.inf
        self._answer: Order | None = None
        """The command for the newest observation; None while it has none."""
        self._fault = ""
        self._halt = ""
        self._generation = 0
        self._stops_left = 0
        self._in_motion = False
        """Whether a command to move has been sent since the last stop."""
        self._failures = 0
        self._beyond_since: float | None = None
        self._guarded_since: float | None = None
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
        return self._z

    @property
    def halted(self) -> str:
        """Why the robot stands still until `resume`; empty when it does not."""
        return self._halt

    @property
    def fault(self) -> str:
        """Why it stands still until that is over; empty when nothing is wrong."""
        return self._fault

    @property
    def moving(self) -> bool:
        """Whether the robot obeys the policy at present."""
        return self._answer is not None and not self._fault and not self._halt

    def observation_age(self, now: float) -> float | None:
        """Seconds since the newest observation; None before the first."""
        return None if self._observed_at is None else now - self._observed_at

    def activate(self) -> None:
        """From now on observations are answered; the first one starts from what is measured.

        Until then the robot is told to stand: whoever drove it before may have left it moving.
        """
        self._active = self._taking_over = True
        self._stops_left = STOP_REPEATS
        self._begin()

    def deactivate(self) -> Order | None:
        """From now on nothing is answered; the stop command, where the robot had been moving."""
        self._active = False
        return self._stop()

    # What arrives.

    def observe(self, observation: Observation, now: float) -> Step | Order | None:
        """Takes in an observation: the step that is due, or an order, or nothing."""
        self._notice_jump(now)
        problem = self._problem(observation)
        if problem:
            return self.refuse_observation(problem)
        stamp = observation.stamp
        newest = self._newest
        if newest is not None and observation.label and observation.label == newest.label:
            # A simulation in lock-step repeats its state. It gets the same answer again, since one
            # by a newer z would make the trajectory depend on chance.
            if self.moving:
                return self._answer
            return self._step()
        if stamp is not None:
            if not self._is_new(stamp):
                self.counts["reordered_observations"] += 1
                return None
            if self.settings.check_stamps and abs(now - stamp) > self._timeout:
                self.counts["late_observations"] += 1
                return self._blind(
                    f"the observation is stamped {now - stamp:.3g} s before the present; is the "
                    "network slow, or has the robot another clock (check_stamps:=false)?"
                )
            self._newest_stamp = stamp
        self._newest_time = time = now if stamp is None else stamp
        self._newest, self._observed_at = observation, now
        self._reading = observation.reading
        order = self._watch_limits(observation.reading, now)
        if order is not None or self._halt:
            return order
        if not self._cadence.is_due(time):
            return None
        self._answer = None
        step = self._step()
        if step is not None:
            self.counts["deadline_misses"] += self._cadence.step(time)
        return step

    def refuse_observation(self, reason: str) -> Order | None:
        """Takes note of an observation that cannot be used."""
        self.counts["refused_observations"] += 1
        return self._blind(f"observation refused: {reason}")

    def take_z(self, z: np.ndarray, model: str) -> Step | Order | None:
        """Takes in an encoding; the step that waited for one, or the order to stand still."""
        reason = ""
        if model != self._model_id:
            reason = f"it is of model {model[:12] or '(none)'}, this is {self._model_id[:12]}"
        elif z.shape != (self._z_dim,):
            reason = f"it has {z.size} numbers, the model takes {self._z_dim}"
        elif not np.all(np.isfinite(z)):
            reason = "it is not finite"
        if reason:
            self.counts["refused_z"] += 1
            self._z = None
            return self._stand(f"z refused: {reason}")
        self._z = z
        # After a fault only a new observation starts the robot again.
        step = self._step() if self._answer is None and not self._fault else None
        if step is not None:
            self._cadence.step(self._newest_time)
        return step

    def miss_z(self, seconds: float) -> Order | None:
        """Takes note that no z has come for `seconds`: after its time-out there is none."""
        timeout = self.settings.z_timeout
        if self._z is None or not 0.0 < timeout < seconds:
            return None
        self.counts["stale_z"] += 1
        self._z = None
        return self._stand(
            f"no z for {self.settings.z_timeout:g} s; is task_inference_node running?"
        )

    # What the policy says.

    def complete(self, step: Step, command: np.ndarray, now: float) -> Order | None:
        """Takes the policy's command for `step`: the order to send, or nothing if it is too late.

        The command has been guarded.
        """
        if step.generation != self._generation or self._halt:
            return None
        if command.shape != (self._robot.act_dim,) or not np.all(np.isfinite(command)):
            return self._hold("the policy's command was not finite")
        guarded, changed = self._guards.guard(command, step.observation.reading)
        self._guarded_since = _since(self._guarded_since, bool(changed), now)
        if self._longer(self._guarded_since, now, self.settings.intervention_timeout):
            return self._hold(
                f"the guards ({', '.join(changed)}) have changed every command for "
                f"{self.settings.intervention_timeout:g} s"
            )
        self._fault, self._failures = "", 0
        self._stops_left = STOP_REPEATS
        self._taking_over, self._in_motion = False, True
        self._answer = Order(command=guarded, label=step.observation.label)
        return self._answer

    def fail(self, step: Step, reason: str) -> Order | None:
        """Takes note that the policy failed to answer `step`."""
        self.counts["failed_inferences"] += 1
        return self._failed(step, f"the policy failed: {reason}")

    def late(self, step: Step, seconds: float) -> Order | None:
        """Takes note that the policy has not answered `step` within `seconds`."""
        self.counts["late_inferences"] += 1
        return self._failed(step, f"the policy has not answered within {seconds:.3g} s")

    # Standing still.

    def watch(self, now: float) -> Order | None:
        """To be called every period of the robot's clock: the stop command, where it is stale."""
        if self._notice_jump(now) and self._in_motion:
            # Nothing tells any more how old the newest observation is.
            return self._blind("the clock went back")
        age = self.observation_age(now)
        if age is None or age <= self._timeout:
            return None
        self._observed_at = None
        if not self._active:
            return None
        self.counts["stale_observations"] += 1
        return self._blind(f"no observation for {self._timeout:.3g} s")

    def halt(self, reason: str) -> Order | None:
        """Stands still until `resume`; it is told so whether or not this controller moved it."""
        self._stops_left = STOP_REPEATS
        return self._hold(reason)

    def resume(self, now: float) -> str:
        """Ends a halt. Returns what is missing for that, or nothing."""
        age = self.observation_age(now)
        if not self._active:
            return "the node is not active; activate it first"
        if age is None or age > self._timeout:
            return "no fresh observation; is the robot up?"
        if self._z is None:
            return "no z yet; publish a prompt"
        self._halt = ""
        self._failures = 0
        self._begin()
        return ""

    def stop_again(self) -> Order | None:
        """The stop command, once more, if the robot is to stand and has not been told enough."""
        standing = self._fault or self._halt or not self._active
        if not (standing or self._taking_over) or not self._stops_left:
            return None
        command = stop_command(self._robot, self._reading)
        if command is None:
            return None
        self._stops_left -= 1
        # A simulation in lock-step takes a stop for an answer, but not one without a cause.
        return Order(command=command, label="" if standing else _TAKING_OVER)

    def _notice_jump(self, now: float) -> bool:
        """A clock that goes backwards makes every age meaningless: start anew."""
        jumped = now < self._now
        if jumped:
            self.counts["clock_jumps"] += 1
            self._newest = self._observed_at = self._newest_stamp = self._heard_stamp = None
            self._begin()
        self._now = now
        return jumped

    def _is_new(self, stamp: float) -> bool:
        """Whether an observation of that stamp is newer than all before.

        After a fault a sensor may begin with older ones, since it was started anew; one that
        repeats itself tells nothing new.
        """
        heard, self._heard_stamp = self._heard_stamp, stamp
        if self._newest_stamp is None or stamp > self._newest_stamp:
            return True
        return self._newest is None and heard is not None and stamp > heard

    def _problem(self, observation: Observation) -> str:
        values, size = observation.values, self._robot.obs_dim
        if values.shape == (size,) and np.all(np.isfinite(values)):
            return ""
        return (
            f"{values.size} numbers, {np.sum(~np.isfinite(values))} of them not finite; expected "
            f"{size} finite ones of robot {self._robot.name}"
        )

    def _step(self) -> Step | None:
        if not self._active or self._halt or self._z is None or self._newest is None:
            return None
        return Step(observation=self._newest, z=self._z, generation=self._generation)

    def _watch_limits(self, reading: JointReading, now: float) -> Order | None:
        beyond = beyond_limits(reading, self._limits)
        self._beyond_since = _since(self._beyond_since, bool(np.any(beyond)), now)
        if self._halt or not self._longer(self._beyond_since, now, self.settings.limit_timeout):
            return None
        joints = [
            name for name, is_so in zip(self._robot.action_joints, beyond, strict=True) if is_so
        ]
        return self._hold(
            f"{', '.join(joints)} beyond the limits for {self.settings.limit_timeout:g} s"
        )

    def _longer(self, since: float | None, now: float, timeout: float) -> bool:
        """Whether something has been so for `timeout`, to the nearest step."""
        nearly = timeout - 0.5 * self._robot.ctrl_dt
        return timeout > 0.0 and since is not None and now - since > nearly

    def _failed(self, step: Step, reason: str) -> Order | None:
        if step.generation != self._generation:
            return None
        self._failures += 1
        if self._failures >= _FAILURES:
            return self._hold(f"{reason}, {_FAILURES} times in a row")
        return self._stand(reason)

    def _hold(self, reason: str) -> Order | None:
        self._halt = reason
        return self._stop()

    def _blind(self, reason: str) -> Order | None:
        """Stands still for want of an observation: what was seen before is not acted on after."""
        self._newest = None
        return self._stand(reason)

    def _stand(self, reason: str) -> Order | None:
        self._fault = reason
        return self._stop()

    def _stop(self) -> Order | None:
        self.counts["stops"] += self._in_motion
        self._in_motion = False
        self._generation += 1
        self._restart()
        return self.stop_again()

    def _begin(self) -> None:
        """Starts anew, and forgets for how long something has been wrong."""
        self._beyond_since = self._guarded_since = None
        self._restart()

    def _restart(self) -> None:
        """Starts anew from what is measured: filters, grid and the answer to repeat."""
        self._answer = None
        self._cadence.restart()
        self._guards.restart()


def _since(before: float | None, is_so: bool, now: float) -> float | None:
    """Since when something has been so without a break."""
    if not is_so:
        return None
    return now if before is None else before
