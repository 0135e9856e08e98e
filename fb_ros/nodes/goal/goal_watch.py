"""Publishes progress towards a goal point, which a program can wait for."""

from __future__ import annotations

import contextlib

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node

from fb_ros.errors import FbRosError
from fb_ros.nodes.goal.goal_marker import GoalMarker
from fb_ros.nodes.messages import OK, to_status
from fb_ros.nodes.qos import LATCHED
from fb_ros.nodes.state_watch import StateWatch
from fb_ros.prompts.prompt import GoalPoint
from fb_ros.prompts.prompt_text import parse_prompt
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.task_inference.arrival import Arrival

_PERIOD = 0.1


class GoalWatch:
    """Publishes `prompt/progress`: latched, ten times a second on the way, once on arrival."""

    def __init__(self, node: Node, robot: RobotSpec, states: StateWatch) -> None:
        self._node, self._robot, self._states = node, robot, states
        self._fields = [field for field in robot.features if field.name == robot.goal_feature]
        self._progress = node.create_publisher(DiagnosticStatus, "prompt/progress", LATCHED)
        self._marker = GoalMarker(node, robot.frame, robot.goal_radius)
        self._asked: tuple[np.ndarray, Arrival] | None = None
        self._values: dict[str, object] = {}
        self._reached = False
        # The wall clock lets a simulation that stands still report this, too.
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self._timer = node.create_timer(_PERIOD, self._look, clock=wall)
        self._timer.cancel()

    def ask(self, text: str, number: int) -> None:
        """Takes the prompt in force, by its text and number; watches it if it is a goal point."""
        point = _point_of(text)
        had, self._asked, self._reached = self._asked is not None, None, False
        self._values = {"number": number, "text": text}
        if point is None:
            self._timer.cancel()
            self._marker.remove()
            if had:
                # A program that waits for an arrival must not take the last goal's for this one's.
                self._publish("no goal point is asked for", reached=False)
            return
        self._asked = point, Arrival(self._robot.goal_radius, self._now())
        self._marker.show(point)
        self._look()
        self._timer.reset()

    def _look(self) -> None:
        if self._asked is None:
            return
        point, arrival = self._asked
        try:
            place = assemble(self._fields, self._states.state())
        except FbRosError as error:
            self._reached = False
            self._publish(str(error), reached=False)
            return
        now = self._now()
        distance = float(np.linalg.norm(place - point))
        reached = arrival.is_reached(distance, now)
        if reached and self._reached:
            return
        self._reached = reached
        self._values |= {
            "distance_m": f"{distance:.4f}",
            "radius_m": f"{self._robot.goal_radius:g}",
            "time_s": f"{arrival.seconds(now):.2f}",
        }
        self._publish("reached" if reached else f"{distance:.3f} m to go", reached=reached)

    def _publish(self, text: str, *, reached: bool) -> None:
        name = f"{self._node.get_fully_qualified_name()}: goal"
        values = {**self._values, "reached": str(reached).lower()}
        self._progress.publish(to_status(OK, name, text, values, self._robot.name))

    def _now(self) -> float:
        return float(self._node.get_clock().now().nanoseconds) * 1e-9


def _point_of(text: str) -> np.ndarray | None:
    if not text.startswith("goal_point("):
        return None
    with contextlib.suppress(FbRosError):
        prompt = parse_prompt(text)
        if isinstance(prompt, GoalPoint):
            return np.array(prompt.point)
    return None
