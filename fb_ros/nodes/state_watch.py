"""Keeps the robot's newest state, from its standard topics."""

from __future__ import annotations

import contextlib
import re
import time

import numpy as np
from rclpy.node import Node

from fb_ros.errors import FbRosError
from fb_ros.nodes.event import event
from fb_ros.nodes.messages import OK, WARN
from fb_ros.nodes.sensor_messages import subscribe_to_sensors
from fb_ros.robot.field import assemble, topics_of
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState

# The age is in wall time: a person means what they see.
_FRESH_SECONDS = 1.0


class StateWatch:
    """Subscribes to the topics of the features and keeps their messages of one instant."""

    def __init__(self, node: Node, robot: RobotSpec) -> None:
        self._node = node
        self._state: RobotState | None = None
        self._since = 0.0
        self._stamp = 0
        self._wrong = ""
        self._fields = robot.observation
        self._topics = topics_of(robot.features)
        self._logged = ""
        self._waiting = ""
        subscribe_to_sensors(
            node, robot, robot.features, self._keep, self._refuse, self._wait_because
        )

    def state(self) -> RobotState:
        """The robot's present state; refused where it is not known."""
        if self._state is None or time.monotonic() - self._since > _FRESH_SECONDS:
            reason = self._wrong or self._waiting or f"nothing new on {' and '.join(self._topics)}"
            raise FbRosError(f"the robot's state is not known: {reason}; is it up?")
        return self._state

    def observation(self) -> np.ndarray | None:
        """The present observation, `(obs_dim,)`; None where it is not known."""
        with contextlib.suppress(FbRosError):
            return assemble(self._fields, self.state())
        return None

    def stamp(self) -> str:
        """The present state's stamp in seconds; empty where the state is not known."""
        with contextlib.suppress(FbRosError):
            self.state()
            return f"{self._stamp * 1e-9:.9f}"
        return ""

    def status(self, text: str) -> tuple[bytes, str]:
        """Level and text of a diagnostic status: `text`, or a warning that says why no state
        comes."""
        return (WARN, self._waiting) if self._waiting else (OK, text)

    def _wait_because(self, reason: str) -> None:
        self._waiting = reason
        # Stamps change all the time; a person needs to read of the same obstacle once.
        kind = re.sub(r"[\d.]+", "", reason)
        if kind and kind != self._logged:
            self._node.get_logger().warning(event("waiting", reason=reason))
        self._logged = kind

    def _refuse(self, reason: str) -> None:
        self._wrong = reason

    def _keep(self, state: RobotState, stamp: int) -> None:
        self._state, self._stamp = state, stamp
        self._since, self._wrong = time.monotonic(), ""
