"""Standing still: why, since which stop, and how often the stop command is sent."""

from __future__ import annotations

from collections.abc import Callable

from fb_ros.control.joint_reading import JointReading
from fb_ros.control.step import Order, Step
from fb_ros.control.stop_command import stop_command
from fb_ros.robot.robot_spec import RobotSpec

# A command is lost now and then, and forward controllers hold the last one for ever.
STOP_REPEATS = 5
_TAKING_OVER = "taking over"
# A policy that fails so often in a row will not mend itself.
_FAILURES = 5


class Standing:
    """Whether a robot is to stand still, and the stop commands that are left to be sent.

    A *fault* ends by itself, when what was wrong is right again; a *halt* lasts until a person
    ends it.
    """

    def __init__(self, robot: RobotSpec, on_stop: Callable[[bool], None]) -> None:
        """`on_stop` is called at every stop, with whether the robot had been moving."""
        self._robot, self._on_stop = robot, on_stop
        self.fault = ""
        """Why it stands still until that is over; empty when nothing is wrong."""
        self.halt = ""
        """Why it stands still until a person ends it; empty when it does not."""
        self.active = False
        """Whether observations are answered at all."""
        self.in_motion = False
        """Whether a command to move has been sent since the last stop."""
        self.generation = 0
        """How many stops there have been: what was decided on before one is not sent after it."""
        self.reading: JointReading | None = None
        """The newest one, which position control holds; kept when the observation is too old."""
        self._failures = 0
        self._stops_left = 0
        self._taking_over = False

    def take_over(self) -> None:
        """The robot is this controller's from now on, and may still obey its last one."""
        self.active = self._taking_over = True
        self._stops_left = STOP_REPEATS

    def move(self) -> None:
        """A command to move is sent now."""
        self.fault, self._failures = "", 0
        self._stops_left = STOP_REPEATS
        self._taking_over, self.in_motion = False, True

    def stop(self) -> Order | None:
        """The robot is to stand from now on: the stop command, where it has to be sent."""
        moved, self.in_motion = self.in_motion, False
        self.generation += 1
        self._on_stop(moved)
        return self.next_stop()

    def stand(self, reason: str) -> Order | None:
        """Stops for a fault."""
        self.fault = reason
        return self.stop()

    def hold(self, reason: str, *, anyhow: bool = False) -> Order | None:
        """Halts; with `anyhow` the robot is told so whether or not this controller moved it."""
        if anyhow:
            self._stops_left = STOP_REPEATS
        self.halt = reason
        return self.stop()

    def release(self) -> None:
        """Ends a halt."""
        self.halt, self._failures = "", 0

    def fail(self, step: Step, reason: str) -> Order | None:
        """The policy has failed at `step`: a fault, and a halt when it happens again and again."""
        if step.generation != self.generation:
            return None
        self._failures += 1
        if self._failures >= _FAILURES:
            return self.hold(f"{reason}, {_FAILURES} times in a row")
        return self.stand(reason)

    def next_stop(self) -> Order | None:
        """The stop command, if the robot is to stand and it was not sent often enough.

        None, too, where a robot controlled by position has told no position to hold.
        """
        is_to_stand = self.fault or self.halt or not self.active
        if not (is_to_stand or self._taking_over) or not self._stops_left:
            return None
        command = stop_command(self._robot, self.reading)
        if command is None:
            return None
        self._stops_left -= 1
        # A simulation in lock-step takes a stop for an answer, but not one without a cause.
        return Order(command=command, label="" if is_to_stand else _TAKING_OVER)
