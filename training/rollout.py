"""Running a controller in a simulated robot and recording what happened."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fb_ros.field import assemble
from fb_ros.robot_state import RobotState
from sim.environment import Environment
from training.episode import Episode

Controller = Callable[[int, np.ndarray], np.ndarray]
"""From the step's number and the observation to an action in `[-1, 1]`."""


def rollout(
    environment: Environment,
    controller: Controller,
    steps: int,
    *,
    stop: Callable[[RobotState], bool] | None = None,
) -> Episode:
    """Runs `controller` from the present state for `steps`, or until `stop` says so.

    Stopping is a truncation: the discount stays 1.
    """
    spec = environment.spec
    states, physics = [environment.robot_state()], [environment.physics_state()]
    observations = [assemble(spec.observation, states[0])]
    actions = [np.zeros(spec.act_dim)]
    for step in range(steps):
        action = np.clip(controller(step, observations[-1]), -1.0, 1.0)
        environment.step(spec.command_from_action(action))
        state = environment.robot_state()
        states.append(state)
        physics.append(environment.physics_state())
        observations.append(assemble(spec.observation, state))
        actions.append(action)
        if stop is not None and stop(state):
            break
    features = np.stack([assemble(spec.features, state) for state in states])
    count = len(observations)
    return Episode(
        observation=np.asarray(observations, dtype=np.float32),
        action=np.asarray(actions, dtype=np.float32),
        reward=np.zeros((count, 1), dtype=np.float32),
        discount=np.ones((count, 1), dtype=np.float32),
        physics=np.asarray(physics, dtype=np.float64),
        features=features.astype(np.float32),
    )


def replay(actions: np.ndarray) -> Controller:
    """A controller that takes `actions` `(steps, act_dim)` one after the other."""
    return lambda step, _: actions[step]
