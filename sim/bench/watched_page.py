"""A page with one client that reads everything, for a robot that moves a little all the time."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
from geometry_msgs.msg import PoseStamped
from rclpy.node import Node
from sensor_msgs.msg import JointState

from fb_ros.bringup.options import default_options
from fb_ros.bringup.processes import command_line, web_process
from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.nodes.qos import STREAM
from fb_ros.robot.robot_spec import RobotSpec
from sim.bench.ports import free_port, listens
from sim.node.robot_messages import joint_states_message, tcp_pose_message

_PATIENCE = 120.0
_UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])


class Sensors:
    """The arm's topics besides its observation."""

    def __init__(self, node: Node, robot: RobotSpec) -> None:
        self._robot = robot
        self._clock = node.get_clock()
        self._joints = node.create_publisher(JointState, "joint_states", STREAM)
        self._tcp = node.create_publisher(PoseStamped, "tcp_pose", STREAM)

    def publish(self, step: int) -> None:
        """Publishes the state after `step` steps."""
        stamp = self._clock.now().to_msg()
        position = np.full(self._robot.act_dim, 1.0 + 0.2 * np.sin(0.1 * step))
        self._joints.publish(
            joint_states_message(
                stamp, self._robot.action_joints, position, np.zeros_like(position)
            )
        )
        self._tcp.publish(
            tcp_pose_message(
                stamp, self._robot.frame, position[:3], np.array([1.0, 0.0, 0.0, 0.0])
            )
        )


@contextmanager
def watched_page(bundle: Bundle, namespace: str) -> Iterator[None]:
    """Runs the page and its client, each in its own process."""
    port = free_port()
    options = default_options(bundle.robot.name) | {
        "bundle": str(bundle.path),
        "namespace": namespace,
        "log_level": "warn",
        "web_port": str(port),
    }
    with ExitStack() as stack:
        page = stack.enter_context(
            process(command_line(web_process(bundle.robot.name, options), options))
        )
        wait_until(lambda: listens(port, page), "the page to listen")
        words = [sys.executable, "-m", "sim.bench.headless_browser", str(port)]
        stack.enter_context(process(words))
        yield


@contextmanager
def process(words: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that ends with the context."""
    running = subprocess.Popen(words, stdin=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.terminate()
        running.wait(_PATIENCE)


def wait_until(done: Callable[[], bool], what: str) -> None:
    """Polls until `done`; raises after a while."""
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise FbRosError(f"waited {_PATIENCE:g} s for {what}; is the machine too busy?")
        time.sleep(0.01)
