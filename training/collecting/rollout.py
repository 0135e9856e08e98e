"""Running a controller in a simulated robot and recording the episode."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fb_ros.robot.field import assemble
from fb_ros.robot.robot_state import RobotState
from sim.robots.environment import Environment
from training.data.episode import Episode

Controller = Callable[[int, np.ndarray], np.ndarray]
"""From the step's number and the observation to an action in `[-1, 1]`."""
Stop = Callable[[RobotState], np.ndarray]
"""From stacked states to whether an episode ends in each of them, `(n,)`."""

# Known actions run in blocks of this many steps between checks of the robot's box.
_BLOCK = 25


def rollout(
    environment: Environment, controller: Controller, steps: int, *, stop: Stop | None = None
) -> Episode:
    """Runs `controller` from the present state for `steps`, or until `stop` ends the episode.

    A state that `stop` ends is terminal: its discount is 0. No data lie beyond it, and a model
    that expects no reward there has no reason to go there. The end of the steps is a truncation.
    """
    spec = environment.spec
    physics, actions = [environment.physics_state()], []
    for step in range(steps):
        action = np.clip(controller(step, environment.observation()), -1.0, 1.0)
        environment.step(spec.command_from_action(action))
        physics.append(environment.physics_state())
        actions.append(action)
        if stop is not None and stop(environment.robot_state()):
            break
    return episode_of(environment, np.array(physics), np.array(actions), stop)


def replay(environment: Environment, actions: np.ndarray, *, stop: Stop | None = None) -> Episode:
    """Does the same for known `actions` `(steps, act_dim)`, which is faster."""
    commands = environment.spec.command_from_action(actions)
    physics = [environment.physics_state()[None]]
    for start in range(0, len(commands), _BLOCK):
        physics.append(environment.run(commands[start : start + _BLOCK]))
        if stop is not None and np.any(stop(environment.robot_states(physics[-1]))):
            break
    return episode_of(environment, np.concatenate(physics), actions, stop)


def stop_outside(environment: Environment, margin: float) -> Stop | None:
    """Ends an episode where the goal feature is further than `margin` outside the goal box.

    Returns None for a robot that may go anywhere.
    """
    if not environment.confined:
        return None
    spec = environment.spec
    goal = spec.feature(spec.goal_feature)
    low, high = np.asarray(spec.goal_low) - margin, np.asarray(spec.goal_high) + margin

    def outside(state: RobotState) -> np.ndarray:
        position = goal.encode(state)
        return np.any((position < low) | (position > high), axis=-1)

    return outside


def episode_of(
    environment: Environment, physics: np.ndarray, actions: np.ndarray, stop: Stop | None
) -> Episode:
    """The episode of the physics states `(n, k)`, up to the first that ends it."""
    spec = environment.spec
    first = environment.robot_states(physics[:1])
    commands = spec.commands_before(first, actions[: len(physics) - 1])
    states = environment.robot_states(physics, commands)
    ends = np.zeros(len(physics), dtype=bool) if stop is None else stop(states)
    ends[0] = False  # No action led to the first state.
    count = int(np.argmax(ends)) + 1 if ends.any() else len(physics)
    discount = np.ones((count, 1), dtype=np.float32)
    discount[-1] = 0.0 if ends.any() else 1.0
    nothing = np.zeros((1, spec.act_dim))
    return Episode(
        observation=assemble(spec.observation, states)[:count].astype(np.float32),
        action=np.concatenate([nothing, actions[: count - 1]]).astype(np.float32),
        reward=np.zeros((count, 1), dtype=np.float32),
        discount=discount,
        physics=physics[:count],
        features=assemble(spec.features, states)[:count].astype(np.float32),
    )
