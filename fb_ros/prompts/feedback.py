"""Rewards that a person gives while the robot moves."""

from __future__ import annotations

from collections import deque

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import RewardSamples

_MOST = 1000
"""Rewards kept at most, so that no stream of them fills the memory."""


class FeedbackWindow:
    """Keeps the rewards of the last `seconds` with the states that they were given in."""

    def __init__(self, seconds: float) -> None:
        if not seconds > 0.0:
            raise FbRosError(f"the window is {seconds:g} s, expected above 0")
        self.seconds = seconds
        self._given: deque[tuple[float, np.ndarray, float]] = deque(maxlen=_MOST)

    def add(self, time: float, features: np.ndarray, reward: float) -> RewardSamples:
        """Adds a reward for a state with `features` `(k,)` at `time` (s); returns all kept.

        Rewards older than the window are forgotten, and all of them are when time went backwards.
        """
        if not np.isfinite(reward):
            raise FbRosError(f"reward {reward:g} is not finite; publish a finite number")
        if not np.all(np.isfinite(features)):
            raise FbRosError("the robot's state is not finite, so nothing can be rewarded in it")
        if self._given and time < self._given[-1][0]:
            self._given.clear()
        self._given.append((time, np.asarray(features, dtype=np.float64), float(reward)))
        while time - self._given[0][0] > self.seconds:
            self._given.popleft()
        return RewardSamples(
            features=np.stack([features for _, features, _ in self._given]),
            rewards=np.array([reward for _, _, reward in self._given]),
        )

    def clear(self) -> None:
        """Forgets all rewards, because another prompt was given."""
        self._given.clear()
