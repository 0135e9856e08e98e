"""The tasks of dm_control's and ExORL's benchmarks, as rewards of stored physics.

Rewards are ExORL's (arXiv 2201.13425); the cheetah's walks are controllable_agent's. They are
tested against dm_control's own where the suite has the task. Further tasks of the same kind are
our own, for data with more than forward motion.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence

import numpy as np
from dm_control.utils.rewards import tolerance

from fb_ros.errors import FbRosError
from sim.robots.environment import Environment
from sim.tasks.tasks import FIXED_GOALS, make_task

Rewards = Callable[[Environment, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RewardTask:
    """A reward of states only."""

    name: str
    """Name among the robot's tasks."""
    rewards: Rewards
    """Rewards `(n,)` of the simulated robot's physics states `(n, k)`."""
    steps: int
    """Control periods of an episode."""


def task_names(robot: str) -> tuple[str, ...]:
    """The tasks of the robot's benchmark; none if it has no benchmark."""
    return (*_TASKS.get(robot, {}), *FIXED_GOALS.get(robot, {}))


def reward_tasks(robot: str, names: Sequence[str] = ()) -> tuple[RewardTask, ...]:
    """The tasks called `names`, or all of the robot's benchmark; refuses unknown names."""
    benchmark = task_names(robot)
    possible = (*benchmark, *_DIRECTIONS.get(robot, {}))
    for name in names:
        if name not in possible:
            raise FbRosError(
                f"robot {robot} has no task {name!r}; possible: {', '.join(possible) or 'none'}"
            )
    if not possible:
        raise FbRosError(f"robot {robot} has no benchmark tasks")
    own = {**_TASKS.get(robot, {}), **_DIRECTIONS.get(robot, {})}
    # The suite's episodes have 1,000 steps, the arm's last ten seconds.
    return tuple(
        RewardTask(
            name=name,
            rewards=own[name] if name in own else functools.partial(_reach, name),
            steps=1000 if name in own else 250,
        )
        for name in names or benchmark
    )


def _reach(name: str, environment: Environment, physics: np.ndarray) -> np.ndarray:
    spec = environment.spec
    task = make_task(name, spec)
    positions = spec.feature(spec.goal_feature).encode(environment.robot_states(physics))
    return task.reward(np.linalg.norm(positions - task.goal(0, 0), axis=1))


def _above(
    value: np.ndarray, least: float, margin: float, at_margin: float = 0.1, shape: str = "linear"
) -> np.ndarray:
    reward: np.ndarray = tolerance(
        value, bounds=(least, np.inf), margin=margin, value_at_margin=at_margin, sigmoid=shape
    )
    return reward


def _up(environment: Environment, physics: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The torso's upright component, -1 to 1, and its height in metres, `(n,)` each."""
    spec = environment.spec
    state = environment.robot_states(physics)
    up = spec.feature("torso_up").encode(state)[:, 2]
    return up, spec.feature("torso_pos").encode(state)[:, 2]


def _walker_stands(environment: Environment, physics: np.ndarray) -> np.ndarray:
    up, height = _up(environment, physics)
    standing = _above(height, 1.2, 0.6, shape="gaussian")
    return (3.0 * standing + (1.0 + up) / 2.0) / 4.0


def _walker_moves(speed: float, environment: Environment, physics: np.ndarray) -> np.ndarray:
    forwards = environment.motion(physics).com_velocity[:, 0]
    moving = _above(forwards, speed, speed / 2.0, 0.5)
    return _walker_stands(environment, physics) * (5.0 * moving + 1.0) / 6.0


def _walker_flips(environment: Environment, physics: np.ndarray) -> np.ndarray:
    spin = environment.motion(physics).angular_momentum[:, 1]
    return _walker_stands(environment, physics) * (5.0 * _above(spin, 5.0, 5.0, 0.0) + 1.0) / 6.0


def _cheetah_runs(speed: float, environment: Environment, physics: np.ndarray) -> np.ndarray:
    forwards = environment.motion(physics).com_velocity[:, 0]
    return _above(np.sign(speed) * forwards, abs(speed), abs(speed), 0.0)


def _cheetah_flips(direction: float, environment: Environment, physics: np.ndarray) -> np.ndarray:
    spin = environment.motion(physics).angular_momentum[:, 1]
    return _above(direction * spin, 5.0, 5.0, 0.0)


def _quadruped_stands(environment: Environment, physics: np.ndarray) -> np.ndarray:
    up, _ = _up(environment, physics)
    return _above(up, 1.0, 2.0, 0.0)


def _quadruped_moves(
    axis: int, speed: float, environment: Environment, physics: np.ndarray
) -> np.ndarray:
    """Forward `speed` (m/s) is along axis 0 of the torso; the turn rate to the left is axis 5
    (rad/s)."""
    velocity = _twist(environment, physics)[:, axis]
    moving = _above(np.sign(speed) * velocity, abs(speed), abs(speed), 0.5)
    return _quadruped_stands(environment, physics) * moving


def _quadruped_stays(environment: Environment, physics: np.ndarray) -> np.ndarray:
    twist = _twist(environment, physics)
    speed = np.linalg.norm(twist[:, :3], axis=1) + 0.3 * np.linalg.norm(twist[:, 3:], axis=1)
    resting: np.ndarray = tolerance(speed, bounds=(0.0, 0.05), margin=0.5, value_at_margin=0.1)
    return _quadruped_stands(environment, physics) * resting


def _twist(environment: Environment, physics: np.ndarray) -> np.ndarray:
    """Velocity and angular velocity of the torso in its own frame, `(n, 6)`."""
    state = environment.robot_states(physics)
    assert state.base_velocity is not None  # It has a torso.
    assert state.base_angular_velocity is not None
    return np.concatenate([state.base_velocity, state.base_angular_velocity], axis=1)


def _quadruped_jumps(environment: Environment, physics: np.ndarray) -> np.ndarray:
    height = environment.motion(physics).com_position[:, 2]
    return _quadruped_stands(environment, physics) * _above(height, 1.0, 1.0, 0.5)


_TASKS: dict[str, dict[str, Rewards]] = {
    "walker": {
        "stand": _walker_stands,
        "walk": functools.partial(_walker_moves, 1.0),
        "run": functools.partial(_walker_moves, 8.0),
        "flip": _walker_flips,
    },
    "cheetah": {
        "walk": functools.partial(_cheetah_runs, 2.0),
        "run": functools.partial(_cheetah_runs, 10.0),
        "walk_backward": functools.partial(_cheetah_runs, -2.0),
        "run_backward": functools.partial(_cheetah_runs, -10.0),
        "flip": functools.partial(_cheetah_flips, 1.0),
        "flip_backward": functools.partial(_cheetah_flips, -1.0),
    },
    "quadruped": {
        "stand": _quadruped_stands,
        "walk": functools.partial(_quadruped_moves, 0, 0.5),
        "run": functools.partial(_quadruped_moves, 0, 5.0),
        "jump": _quadruped_jumps,
    },
}

_DIRECTIONS: dict[str, dict[str, Rewards]] = {
    "quadruped": {
        "walk_backward": functools.partial(_quadruped_moves, 0, -0.5),
        "turn_left": functools.partial(_quadruped_moves, 5, 1.0),
        "turn_right": functools.partial(_quadruped_moves, 5, -1.0),
        "stay": _quadruped_stays,
    },
}
