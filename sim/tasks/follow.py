"""Running a controller in a simulated robot, one step at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from fb_ros.bundle.policy import Policy
from fb_ros.control.guarded_command import GuardedCommand
from fb_ros.control.joint_reading import ObservationReader
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState
from sim.robots.environment import Environment

CommandOf = Callable[[Environment], np.ndarray]
"""From the environment's present state to a command in physical units."""


def policy_commands(robot: RobotSpec, policy: Policy, z: np.ndarray) -> CommandOf:
    """The guarded commands that `policy_node` would send from now on."""
    guards, reader = GuardedCommand(robot), ObservationReader(robot)

    def command_of(environment: Environment) -> np.ndarray:
        observation = environment.observation()
        return guards.guard(policy.command(observation, z), reader.read(observation))[0]

    return command_of


def follow(environment: Environment, command_of: CommandOf, steps: int) -> Iterator[RobotState]:
    """The robot's state after each of `steps` control periods."""
    for _ in range(steps):
        environment.step(command_of(environment))
        yield environment.robot_state()
