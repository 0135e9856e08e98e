"""Processes and clients for the tests that talk over DDS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import rclpy

from fb_ros.bundle import load_bundle
from sim.robot_client import RobotClient
from sim.robot_processes import RobotProcesses

StartRobot = Callable[..., RobotClient]


@pytest.fixture
def ros() -> Iterator[None]:
    """An rclpy context for one test."""
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def start_robot(ros: None, root: Path) -> Iterator[StartRobot]:
    """Starts the three processes of a robot and returns a client that is ready to talk to them."""
    with ExitStack() as stack:

        def start(robot: str = "point_mass", **options: str) -> RobotClient:
            bundle = root / "models" / robot
            namespace = options.get("namespace", robot)
            processes = stack.enter_context(
                RobotProcesses(robot, {"bundle": str(bundle), **options})
            )
            client = RobotClient(
                namespace,
                frame=load_bundle(bundle).robot.frame,
                alive=processes.raise_if_ended,
            )
            stack.callback(client.destroy_node)
            client.wait_until_ready()
            return client

        yield start
