"""A simulated robot with its nodes, up for as long as somebody talks to it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import rclpy

from sim.robot_client import RobotClient
from sim.robot_processes import RobotProcesses


@contextmanager
def running_robot(robot: str, options: Mapping[str, str], *, frame: str) -> Iterator[RobotClient]:
    """Starts the processes and yields a client that is ready to talk to them.

    `options` are those of `fb_ros.processes`, `namespace` among them; one in which a simulation
    runs already is refused.
    """
    # Nobody else on the network should hear of it, unless they were asked to.
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    rclpy.init()
    try:
        client = RobotClient(options["namespace"], frame=frame)
        client.require_free_namespace()
        with RobotProcesses(robot, dict(options)) as processes:
            client.alive = processes.raise_if_ended
            client.wait_until_ready()
            yield client
        client.destroy_node()
    finally:
        rclpy.try_shutdown()
