"""Collecting with a model that follows random goals and rewards, under various disturbances."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from fb_ros.bundle.bundle import load_bundle
from fb_ros.bundle.policy import Policy
from fb_ros.task_inference.asked_blocks import asked_blocks
from fb_ros.task_inference.goal_encoding import encode_goal
from fb_ros.task_inference.task_encoder import TaskEncoder
from training.collecting.rollout import Controller


class GoalSeeker:
    """A bundle's policy under goals drawn from the robot's goal box, and under random rewards."""

    def __init__(self, bundle: Path, reward_share: float = 0.0) -> None:
        """`reward_share` of the tasks are rewards of the training's prior, which needs torch."""
        self._reward_share = reward_share
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
            self._reward(rng)
            if self._reward_share and rng.uniform() < self._reward_share
            else encode_goal(self._bundle, self._encoder, {self.robot.goal_feature: goal}).z
            for goal in goals
        ]
        which = np.cumsum(change) - 1

        def act(step: int, observation: np.ndarray) -> np.ndarray:
            action = self._policy.action(observation, encodings[which[step]])
            mixed: np.ndarray = (1.0 - weight) * action + weight * disturbance[step]
            return mixed

        return act

    def _reward(self, rng: np.random.RandomState) -> np.ndarray:
        """The encoding of a random reward over some of the features that `B` reads."""
        # Collecting runs without torch, unless it asks for rewards.
        import torch

        from training.agents.reward_prior import draw_rewards, reward_weights

        encoder = self._encoder
        names = list(encoder.columns)
        chosen = [name for name in names if rng.uniform() < 0.5] or [
            names[rng.randint(len(names))]
        ]
        columns = [encoder.columns[name].tolist() for name in chosen]
        scaled = torch.from_numpy((encoder.reference - encoder.reference.mean(0)) / encoder.spread)
        generator = torch.Generator().manual_seed(int(rng.randint(1 << 31)))
        rewards = draw_rewards(scaled.float()[None], [columns], generator)
        weights = reward_weights(rewards)[0].numpy()
        asked = asked_blocks(self._bundle.block_features, chosen)
        return encoder.encode(encoder.reference, weights, asked).z
