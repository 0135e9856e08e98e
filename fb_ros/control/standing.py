"""Keeps why a robot stands still, since which stop, and how many stop commands are left."""

from __future__ import annotations

from collections.abc import Callable

from fb_ros.control.joint_reading import JointReading
from fb_ros.control.step import Order, Step
from fb_ros.control.stop_command import stop_command
from fb_ros.robot.robot_spec import RobotSpec

# A command is lost now and then, and forward controllers hold the last one for ever.
STOP_REPEATS = 5
_TAKING_OVER = "taking over"
# A policy that fails this often in a row will not recover by itself.
_FAILURES = 5


class Standing:
    """Whether a robot is to stand still, and how many stop commands are still to be sent.

    A *fault* ends by itself when its cause is over; a *halt* lasts until a person ends it.
    """

    def __init__(self, robot: RobotSpec, on_stop: Callable[[bool], None]) -> None:
        """`on_stop` is called at every stop, with whether the robot had been moving."""
        self._robot, self._on_stop = robot, on_stop
        self.fault = ""
        """Why the robot stands still until the fault is over; empty when nothing is wrong."""
        self.halt = ""
        """Why the robot stands still until a person ends the halt; empty when it is not halted."""
        self.active = False
        """Whether observations are answered at all."""
        self.in_motion = False
        """Whether a command to move has been sent since the last stop."""
        self.generation = 0
        """How many stops there have been: a command decided before a stop is not sent after it."""
        self.reading: JointReading | None = None
        """The newest reading, which position control holds; a stale observation does not clear
        it."""
        self._blind = False
        self._failures = 0
        self._stops_left = 0
        self._taking_over = False

    def take_over(self) -> None:
        """Takes control of the robot, which may still obey its last controller."""
        self.active = self._taking_over = True
        self._stops_left = STOP_REPEATS

    def move(self) -> None:
        """Records that a command to move is sent now."""
        self.fault, self._failures = "", 0
        self._stops_left = STOP_REPEATS
        self._taking_over, self.in_motion = False, True

    def stop(self) -> Order | None:
        """Makes the robot stand from now on; returns the stop command if one has to be sent."""
        moved, self.in_motion = self.in_motion, False
        self.generation += 1
        self._on_stop(moved)
        return self.next_stop()

    def stand(self, reason: str, *, blind: bool = False) -> Order | None:
        """Stops for a fault, which ends with the next observation if the robot is `blind`."""
        self.fault, self._blind = reason, blind
        return self.stop()

    def hold(self, reason: str, *, anyhow: bool = False) -> Order | None:
        """Halts; with `anyhow` the stop command is sent even if this controller moved nothing."""
        if anyhow:
            self._stops_left = STOP_REPEATS
        self.halt = reason
        return self.stop()

    def see(self) -> None:
        """Forgets a fault of the observations, once all its stop commands have been sent."""
        if self._blind and not self._stops_left:
            self.fault = ""

    def release(self) -> None:
        """Ends a halt."""
        self.halt, self._failures = "", 0

    def fail(self, step: Step, reason: str) -> Order | None:
        """Records that the policy failed at `step`: a fault; a halt after several in a row."""
        if step.generation != self.generation:
            return None
        self._failures += 1
        if self._failures >= _FAILURES:
            return self.hold(f"{reason}, {_FAILURES} times in a row")
        return self.stand(reason)

    def next_stop(self) -> Order | None:
        """The stop command, if the robot is to stand and too few stops have been sent.

        None, too, where a position-controlled robot has reported no position to hold.
        """
        is_to_stand = self.fault or self.halt or not self.active
        if not (is_to_stand or self._taking_over) or not self._stops_left:
            return None
        command = stop_command(self._robot, self.reading)
        if command is None:
            return None
        self._stops_left -= 1
        # A simulation in lock-step takes an unlabelled stop for an answer; a stop that only takes
        # over the robot must not count as one, so it has a label.
        return Order(command=command, label="" if is_to_stand else _TAKING_OVER)
