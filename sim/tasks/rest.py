"""Resting: how far the joints turn once the task no longer needs them to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from sim.robots.environment import Environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import CommandOf, follow
from sim.tasks.tasks import ReachTask

REST = "rest"
SETTLED_SECONDS, REST_SECONDS = 10.0, 20.0
"""Time that a robot has for its goal, and time for which it is watched after that."""


def joint_turns(
    environment: Environment,
    task: ReachTask,
    controller_for: Callable[[np.ndarray], CommandOf],
    *,
    episodes: int,
    seed: int,
) -> Iterator[np.ndarray]:
    """Yields the turns of each joint in each episode, `(2, joints)`, in rad (m for sliding
    joints).

    The first row is the largest distance from the joint's position at the end of the goal's time,
    the second the net turn at the end. Start and goal are those of reaching.
    """
    dt = environment.spec.ctrl_dt
    settled, steps = round(SETTLED_SECONDS / dt), round((SETTLED_SECONDS + REST_SECONDS) / dt)
    for episode in range(episodes):
        environment.reset(episode_rng(seed, episode))
        states = follow(environment, controller_for(task.goal(seed, episode)), steps)
        positions = np.stack([state.joint_position for state in states])
        away = np.abs(positions[settled:] - positions[settled - 1])
        yield np.stack([away.max(axis=0), away[-1]])


def rest_figures(turns: Sequence[np.ndarray], joints: Sequence[str]) -> dict[str, Any]:
    """Figures of the turns of several episodes: over all joints, and for each joint."""
    furthest, net = np.stack(turns, axis=1)
    return {
        "largest_turn_rad": float(furthest.max()),
        "median_turn_rad": float(np.median(furthest.max(axis=1))),
        "largest_net_turn_rad": float(net.max()),
        "episodes": len(turns),
        "joints": [
            {"joint": name, "largest_turn_rad": float(turn)}
            for name, turn in zip(joints, furthest.max(axis=0), strict=True)
        ],
    }
