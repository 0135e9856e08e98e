"""The replay memory of an online agent: its latest transitions."""

from __future__ import annotations

import numpy as np
import torch

from training.agents.td3 import RewardedBatch
from training.data.episode import Episode
from training.data.moments import Moments


class ReplayBuffer:
    """The newest `capacity` transitions."""

    def __init__(self, capacity: int, obs_dim: int, act_dim: int) -> None:
        self._observation = np.zeros((capacity, obs_dim), np.float32)
        self._next = np.zeros((capacity, obs_dim), np.float32)
        self._action = np.zeros((capacity, act_dim), np.float32)
        self._reward, self._discount = np.zeros((2, capacity), np.float32)
        self._seen = 0
        self.moments = Moments.none(obs_dim)

    def __len__(self) -> int:
        return min(self._seen, len(self._reward))

    def add(self, episode: Episode) -> None:
        """Adds an episode, which replaces the oldest transitions if necessary."""
        rows = (self._seen + np.arange(episode.steps)) % len(self._reward)
        self._observation[rows] = episode.observation[:-1]
        self._next[rows] = episode.observation[1:]
        self._action[rows] = episode.action[1:]
        self._reward[rows] = episode.reward[1:, 0]
        self._discount[rows] = episode.discount[1:, 0]
        self._seen += episode.steps
        self.moments = self.moments.merged(Moments.of(episode.observation))

    def sample(self, count: int, generator: torch.Generator) -> RewardedBatch:
        """`count` transitions, uniformly and with replacement."""
        rows = torch.randint(len(self), (count,), generator=generator).numpy()
        return RewardedBatch(
            observation=torch.from_numpy(self._observation[rows]),
            action=torch.from_numpy(self._action[rows]),
            reward=torch.from_numpy(self._reward[rows]),
            next_observation=torch.from_numpy(self._next[rows]),
            discount=torch.from_numpy(self._discount[rows]),
        )
