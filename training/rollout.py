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

    A state in which it stops is terminal: its discount is 0. What lies beyond is in no data, and a
    model that expects nothing there has no reason to go. The end of the steps is a truncation.
    """
    spec = environment.spec
    states, physics = [environment.robot_state()], [environment.physics_state()]
    observations = [assemble(spec.observation, states[0])]
    actions, discounts = [np.zeros(spec.act_dim)], [1.0]
    for step in range(steps):
        action = np.clip(controller(step, observations[-1]), -1.0, 1.0)
        environment.step(spec.command_from_action(action))
        state = environment.robot_state()
        states.append(state)
        physics.append(environment.physics_state())
        observations.append(assemble(spec.observation, state))
        actions.append(action)
        discounts.append(0.0 if stop is not None and stop(state) else 1.0)
        if discounts[-1] == 0.0:
            break
    features = np.stack([assemble(spec.features, state) for state in states])
    count = len(observations)
    return Episode(
        observation=np.asarray(observations, dtype=np.float32),
        action=np.asarray(actions, dtype=np.float32),
        reward=np.zeros((count, 1), dtype=np.float32),
        discount=np.asarray(discounts, dtype=np.float32)[:, None],
        physics=np.asarray(physics, dtype=np.float64),
        features=features.astype(np.float32),
    )


def replay(actions: np.ndarray) -> Controller:
    """A controller that takes `actions` `(steps, act_dim)` one after the other."""
    return lambda step, _: actions[step]
