"""A simulated robot with its nodes, which run while a program talks to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import TypeVar

import rclpy

from fb_ros.bringup.options import default_options
from fb_ros.bringup.this_machine import stay_on_this_machine
from fb_ros.nodes.run import init_ros
from sim.client.robot_client import RobotClient
from sim.client.robot_processes import RobotProcesses

Client = TypeVar("Client", bound=RobotClient)


@contextmanager
def robot_up(
    robot: str, options: Mapping[str, str], client: RobotClient
) -> Iterator[RobotProcesses]:
    """The processes of a robot; `client` is in its namespace."""
    with RobotProcesses(robot, options) as processes:
        client.alive = processes.raise_if_ended
        client.wait_until_ready()
        yield processes


def running_robot(
    robot: str, options: Mapping[str, str], *, frame: str
) -> AbstractContextManager[RobotClient]:
    """A robot and a client that is ready to talk to it, for a program that does nothing else.

    `options` are those of `fb_ros.bringup.options`, each with its default. Refuses a namespace in
    which a simulation already runs.
    """
    return running_with(RobotClient, robot, options, frame=frame)


@contextmanager
def running_with(
    kind: type[Client], robot: str, options: Mapping[str, str], *, frame: str
) -> Iterator[Client]:
    """A running robot and a client of this `kind`, which is ready to talk to it."""
    # Other machines should not see this robot, unless the user chose otherwise.
    stay_on_this_machine()
    init_ros()
    try:
        client = kind({**default_options(robot), **options}["namespace"], frame=frame)
        client.require_free_namespace()
        with robot_up(robot, options, client):
            yield client
        client.destroy_node()
    finally:
        rclpy.try_shutdown()
