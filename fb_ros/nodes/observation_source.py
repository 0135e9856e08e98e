"""Gives a policy its observations: from one vector, or from the robot's sensors."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable

import numpy as np
from rclpy.node import Node
from rclpy.subscription import Subscription
from rclpy.timer import Timer
from std_msgs.msg import Float64MultiArray

from fb_ros.control.joint_reading import ObservationReader, reading_of_state, require_finite
from fb_ros.control.limits import limits_of
from fb_ros.control.step import Observation
from fb_ros.errors import FbRosError
from fb_ros.nodes.event import event
from fb_ros.nodes.messages import label_of
from fb_ros.nodes.qos import STREAM, overridable
from fb_ros.nodes.sensor_messages import Wait, subscribe_to_sensors
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState

# A stamp is a number of nanoseconds.
_STAMP = re.compile("[0-9]{1,19}")


Take = Callable[[Observation, float], None]
"""Gets an observation, and when it arrived (`time.perf_counter`)."""
Refuse = Callable[[str], None]
"""Gets the reason why an observation cannot be used, or why none comes."""


def subscribe_to_vector(
    node: Node, robot: RobotSpec, take: Take, refuse: Refuse, wait: Refuse
) -> list[Subscription | Timer]:
    """Subscribes to `observation`, the whole vector, whose label is the stamp in nanoseconds.

    Refuses a robot that could not be stopped with the values in the vector.
    """
    _warn_of_unguarded(node, robot)
    reader = ObservationReader(robot)
    waits = Wait(node, lambda: "nothing on observation", wait)

    def on_vector(message: Float64MultiArray) -> None:
        arrived = time.perf_counter()
        waits.end()
        values, label = np.asarray(message.data), label_of(message)
        if values.shape != (robot.obs_dim,):
            refuse(f"{values.size} numbers, expected {robot.obs_dim}")
            return
        stamp = int(label) * 1e-9 if _STAMP.fullmatch(label) else None
        reading = reader.read(values)
        take(Observation(values=values, reading=reading, label=label, stamp=stamp), arrived)

    return [
        node.create_subscription(
            Float64MultiArray, "observation", callback=on_vector, **overridable(STREAM)
        ),
        waits.timer,
    ]


def subscribe_to_state(
    node: Node, robot: RobotSpec, take: Take, refuse: Refuse, wait: Refuse
) -> list[Subscription | Timer]:
    """Subscribes to the sensors' topics, and builds the vector as the bundle describes."""

    def on_state(state: RobotState, stamp: int) -> None:
        arrived = time.perf_counter()
        if not stamp:
            refuse("the robot's sensors carry no stamp; nothing tells how old they are")
            return
        try:
            # The controller fills in the command that it sent before.
            state = dataclasses.replace(state, last_command=np.zeros(robot.act_dim))
            values = assemble(robot.observation, state)
            reading = reading_of_state(robot, state)
            require_finite(reading, robot)
        except FbRosError as error:
            refuse(str(error))
            return
        take(
            Observation(values=values, reading=reading, label=str(stamp), stamp=stamp * 1e-9),
            arrived,
        )

    return subscribe_to_sensors(node, robot, robot.observation, on_state, refuse, wait)


def _warn_of_unguarded(node: Node, robot: RobotSpec) -> None:
    """Logs joints with limits whose positions the vector lacks, since nothing guards them.

    Refuses a position-controlled robot if the vector lacks one of its positions.
    """
    position = ObservationReader(robot).read(np.zeros(robot.obs_dim)).position
    unread = np.isnan(position)
    if robot.action_interface == "position" and np.any(unread):
        raise FbRosError(
            f"robot {robot.name} is controlled by position, and its observation does not tell "
            "where its joints are, which it needs to stand still; take "
            "observation_source:=sensors"
        )
    limits = limits_of(robot)
    limited = np.isfinite(limits.position_low) | np.isfinite(limits.position_high)
    joints = [robot.action_joints[i] for i in np.flatnonzero(limited & unread)]
    if joints:
        reason = "the observation does not tell where they are; observation_source:=sensors does"
        node.get_logger().warning(
            event("unguarded_limits", joints=", ".join(joints), reason=reason)
        )
