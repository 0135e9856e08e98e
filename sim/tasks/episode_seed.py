"""Random generators of numbered episodes, the same for every way of running an episode."""

from __future__ import annotations

import numpy as np

from fb_ros.robot.robot_spec import RobotSpec


def episode_rng(seed: int, episode: int) -> np.random.RandomState:
    """The generator of an episode's initial state, independent between episodes and seeds."""
    return np.random.RandomState(np.random.SeedSequence([seed, episode]).generate_state(4))


def episode_goal(spec: RobotSpec, seed: int, episode: int) -> np.ndarray:
    """The goal of an episode, uniform in the robot's goal box, independent of its initial
    state."""
    sequence = np.random.SeedSequence([seed, episode, 1])
    return np.random.default_rng(sequence).uniform(spec.goal_low, spec.goal_high)
