"""Fixtures for tests with a simulated robot in the loop; pytest finds them by itself.

Pytest loads this module in every session of an environment that has the package, so nothing of
ROS or of the simulation is loaded until a test asks for a robot.
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
    """Type of the fixture `fb_ros_robot`."""

    def __call__(
        self, robot: str, *, lockstep: bool = True, launched: bool = False, **options: str
    ) -> SimulatedRobot:
        """Returns a robot that is ready; `options` are those of the launch files.

        With `lockstep` it moves only by `run` and `step`, and every run of a test is the same;
        otherwise it runs in real time. A `launched` robot has been started outside this call.
        """


@pytest.fixture(scope="session")
def fb_ros_domain() -> int:
    """This session's own ROS domain on this machine only, unless a domain is already set."""
    from fb_ros.bringup.this_machine import stay_on_this_machine

    stay_on_this_machine()
    # Domains above 101 would collide with the ports that Linux gives to other programs.
    return int(os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100)))


@pytest.fixture
def fb_ros_context(fb_ros_domain: int) -> Iterator[None]:
    """An rclpy context, if the test has none yet."""
    import rclpy

    if rclpy.ok():
        yield
        return
    rclpy.init()
    yield
    rclpy.try_shutdown()


@pytest.fixture
def fb_ros_robot(fb_ros_context: None) -> Iterator[StartRobot]:
    """Starts simulated robots, each with its nodes; they run until the test ends."""
    from sim.testing.simulated_robot import simulated_robot

    with ExitStack() as stack:

        def start(
            robot: str, *, lockstep: bool = True, launched: bool = False, **options: str
        ) -> SimulatedRobot:
            options["lockstep"] = str(lockstep).lower()
            return stack.enter_context(simulated_robot(robot, options, launched=launched))

        yield start
