"""Processes and clients for the tests that talk over DDS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rclpy

from fb_ros.nodes.messages import stamp_of
from fb_ros.nodes.qos import STREAM
from sim.client.robot_client import RobotClient
from sim.client.robot_processes import RobotProcesses
from sim.testing.simulated_robot import simulated_robot

StartRobot = Callable[..., RobotClient]

# For a robot beside another one, whose simulation has the clock.
WALL_CLOCK = {"use_sim_time": "false", "publish_clock": "false"}


@contextmanager
def running_robot(
    root: Path,
    robot: str = "point_mass",
    *,
    started: list[RobotProcesses] | None = None,
    **options: str,
) -> Iterator[RobotClient]:
    """The processes of a robot, and a client that is ready to talk to them."""
    options.setdefault("bundle", str(root / "models" / robot))
    with simulated_robot(robot, options) as simulated:
        if started is not None and simulated.processes is not None:
            started.append(simulated.processes)
        yield simulated.client


def stepped(
    client: RobotClient, kind: type, topic: str, read: Callable[[Any], np.ndarray]
) -> Callable[[int], np.ndarray]:
    """Steps a robot in lock-step so many times, and gives what `topic` said after each."""
    # By their stamps: in lock-step a state is told more than once.
    states: dict[int, np.ndarray] = {}

    def keep(message: Any) -> None:
        states[stamp_of(message)] = read(message)

    client.create_subscription(kind, topic, keep, STREAM)

    def step(count: int) -> np.ndarray:
        stamps = []
        for _ in range(count):
            stamps.append(round(client.step()["time"] * 1e9))
            client.wait_for(lambda: stamps[-1] in states, f"what {topic} says after a step")
        return np.stack([states[stamp] for stamp in stamps])

    return step


@pytest.fixture
def ros(fb_ros_context: None) -> None:
    """An rclpy context for one test."""


@pytest.fixture(scope="module")
def shared_robot(root: Path, fb_ros_domain: int) -> Iterator[RobotClient]:
    """One point mass in lock-step for all tests of a file: prompts follow one another."""
    rclpy.init()
    with running_robot(root, lockstep="true", namespace="robot") as client:
        yield client
    rclpy.try_shutdown()


@pytest.fixture
def processes() -> list[RobotProcesses]:
    """The processes of the robots that the test has started."""
    return []


@pytest.fixture
def start_robot(ros: None, root: Path, processes: list[RobotProcesses]) -> Iterator[StartRobot]:
    """Starts robots that run until the test ends."""
    with ExitStack() as stack:

        def start(robot: str = "point_mass", **options: str) -> RobotClient:
            return stack.enter_context(running_robot(root, robot, started=processes, **options))

        yield start
