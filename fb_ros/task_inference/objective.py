"""The objective of a prompt: a reward over features, and its values over the data."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence

import numpy as np

_BEST_PERCENTILE = 99.9
# Share of the reference states that are kept as the best, and at most how many.
_GOOD, _MOST_GOOD = 0.01, 64


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Objective:
    """A reward, and its range over a model's reference states."""

    reward: Callable[[np.ndarray], np.ndarray]
    """The reward of states with features `(n, feature_dim)`, `(n,)`; may hold NaN or infinity."""
    uses: frozenset[str]
    """Names of the features that the reward uses."""
    low: float
    """The lowest reward of the reference states, which replaces one that is not finite."""
    mean: float
    """The mean reward of the reference states."""
    best: float
    """The 99.9th percentile of these rewards, or the largest if that is not above the mean."""
    good: np.ndarray
    """Features `(m, feature_dim)` of some of the best reference states."""
    unit: float = 1.0
    """Value of one of these rewards in the units that the person typed."""

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """The reward of each state `(…, feature_dim)`, `(…,)`, finite."""
        rows = features.reshape(-1, features.shape[-1])
        rewards = self.reward(rows)
        found = np.where(np.isfinite(rewards), rewards, self.low)
        return found.reshape(features.shape[:-1])

    def share(self, reward: np.ndarray) -> np.ndarray:
        """Scales a reward: 0 for the mean over the reference states and 1 for the best of them."""
        return (reward - self.mean) / (self.best - self.mean)


def objective_of(
    reward: Callable[[np.ndarray], np.ndarray],
    uses: Collection[str],
    features: np.ndarray,
    rewards: np.ndarray,
    unit: float = 1.0,
) -> Objective:
    """The objective of a reward that is `rewards` `(n,)` in states with `features`.

    The rewards must be finite and vary, and be of a size that sums do not overflow; `unit` is the
    value of one of them in the units that the person typed.
    """
    best_first = np.argsort(-rewards, kind="stable")[: int(np.sum(rewards > rewards.min()))]
    best_first = best_first[: max(1, round(_GOOD * len(rewards)))]
    mean, best = float(rewards.mean()), float(np.percentile(rewards, _BEST_PERCENTILE))
    high = float(rewards.max())
    return Objective(
        reward=reward,
        uses=frozenset(uses),
        low=float(rewards.min()),
        mean=mean,
        # The best must exceed the mean by more than the rounding of a mean of equal numbers.
        best=best if best - mean > 1e-9 * (high - mean) else high,
        good=features[best_first[:: max(1, -(-len(best_first) // _MOST_GOOD))]],
        unit=unit,
    )


def weighted_sum(
    objectives: Sequence[Objective], weights: Sequence[float]
) -> Callable[[np.ndarray], np.ndarray]:
    """The reward of a blend: its parts' rewards, each in units of its range, times its weight."""

    def reward(features: np.ndarray) -> np.ndarray:
        parts = [
            weight * objective.share(objective(features))
            for objective, weight in zip(objectives, weights, strict=True)
        ]
        return np.sum(parts, axis=0)

    return reward
