"""Collecting with a model that reaches for random goals, under various disturbances."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fb_ros.bundle.bundle import load_bundle
from fb_ros.bundle.policy import Policy
from fb_ros.task_inference.goal_encoding import encode_goal
from fb_ros.task_inference.task_encoder import TaskEncoder
from training.collecting.rollout import Controller


class GoalSeeker:
    """A bundle's policy under goals drawn from the robot's goal box."""

    def __init__(self, bundle: Path) -> None:
        loaded = load_bundle(bundle)
        self.robot = loaded.robot
        self._bundle, self._policy, self._encoder = loaded, Policy(loaded), TaskEncoder(loaded)

    def controller(
        self, rng: np.random.RandomState, disturbance: np.ndarray, goal_steps: float
    ) -> Controller:
        """A controller for one episode.

        It takes a new goal every `goal_steps` steps on average. Its actions are averaged with
        `disturbance` `(steps, act_dim)`. The weight is drawn for the episode: it is often small,
        so that the data include undisturbed reaching and holding, and sometimes large.
        """
        weight = rng.uniform() ** 2
        change = rng.uniform(size=len(disturbance)) < 1.0 / goal_steps
        change[0] = True
        size = len(self.robot.goal_low)
        goals = rng.uniform(self.robot.goal_low, self.robot.goal_high, size=(change.sum(), size))
        encodings = [
            encode_goal(self._bundle, self._encoder, {self.robot.goal_feature: goal}).z
            for goal in goals
        ]
        which = np.cumsum(change) - 1

        def act(step: int, observation: np.ndarray) -> np.ndarray:
            action = self._policy.action(observation, encodings[which[step]])
            mixed: np.ndarray = (1.0 - weight) * action + weight * disturbance[step]
            return mixed

        return act
