"""Fixtures for tests with a simulated robot in the loop; pytest finds them by itself.

Nothing of ROS or of the simulation is loaded until a test asks for a robot: pytest loads this
module in every session of an environment that has the package.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from sim.testing.simulated_robot import SimulatedRobot


class StartRobot(Protocol):
    """What the fixture `fb_ros_robot` is."""

    def __call__(
        self, robot: str, *, lockstep: bool = True, launched: bool = False, **options: str
    ) -> SimulatedRobot:
        """A robot that is ready; `options` are those of the launch files.

        In `lockstep` it moves by `run` and `step` alone, and every run of a test is the same;
        otherwise it lives in real time. One that is `launched` has been started by somebody else.
        """


@pytest.fixture(scope="session")
def fb_ros_domain() -> int:
    """A ROS domain of this session's own, on this machine alone, unless one is set already."""
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    # Domains above 101 would collide with the ports that Linux gives to other programs.
    return int(os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100)))


@pytest.fixture
def fb_ros_context(fb_ros_domain: int) -> Iterator[None]:
    """An rclpy context, where the test has none yet."""
    import rclpy

    if rclpy.ok():
        yield
        return
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def fb_ros_robot(fb_ros_context: None) -> Iterator[StartRobot]:
    """Starts simulated robots, each with its nodes, that run until the test ends."""
    from sim.testing.simulated_robot import simulated_robot

    with ExitStack() as stack:

        def start(
            robot: str, *, lockstep: bool = True, launched: bool = False, **options: str
        ) -> SimulatedRobot:
            options["lockstep"] = str(lockstep).lower()
            return stack.enter_context(simulated_robot(robot, options, launched=launched))

        yield start
