"""How far a model's data reach, in the features that `B` reads."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.robot.field import layout_slices
from fb_ros.task_inference.objective import Objective

# A model knows the range between these quantiles of the reference states.
_KNOWN = 0.001


class KnownStates:
    """The range of a bundle's reference states."""

    def __init__(self, bundle: Bundle) -> None:
        slices = layout_slices(bundle.robot.features)
        every = np.arange(bundle.robot.feature_dim)
        self._of = {name: every[slices[name]] for name in bundle.encoder_features}
        self.columns = np.concatenate(list(self._of.values()))
        """Columns of a state's features that `B` reads."""
        read = bundle.reference_features[:, self.columns].astype(np.float64)
        self._low, self._high = np.quantile(read, (_KNOWN, 1.0 - _KNOWN), axis=0)
        self._spread = np.maximum(read.std(axis=0), 1e-3)
        self._spread_of = np.ones(bundle.robot.feature_dim)
        self._spread_of[self.columns] = self._spread

    def outside(self, features: np.ndarray) -> np.ndarray:
        """How far features `(…, feature_dim)` lie outside the reference states, `(…,)`.

        The distance is in standard deviations of these, from their 0.1st to 99.9th percentiles.
        """
        read = features[..., self.columns]
        excess = np.maximum(read - self._high, self._low - read)
        found: np.ndarray = np.linalg.norm(np.maximum(excess, 0.0) / self._spread, axis=-1)
        return found

    def away(self, features: np.ndarray, objective: Objective) -> np.ndarray:
        """How far features `(steps, n, feature_dim)` are from the objective's good states.

        It is the distance to the nearest of them `(steps, n)`, in standard deviations of the
        features that the objective uses.
        """
        columns = np.concatenate([self._of[name] for name in sorted(objective.uses)])
        spread = self._spread_of[columns]
        here, good = features[..., columns] / spread, objective.good[:, columns] / spread
        squares = np.square(here[..., None, :] - good).sum(axis=-1)
        found: np.ndarray = np.sqrt(squares.min(axis=-1))
        return found

    def speed(self, features: np.ndarray, dt: float) -> np.ndarray:
        """How fast features `(steps, n, feature_dim)`, `dt` seconds apart, change on average.

        The speed is in standard deviations per second, `(n,)`.
        """
        read = features[..., self.columns] / self._spread
        found: np.ndarray = np.linalg.norm(np.diff(read, axis=0), axis=-1).mean(axis=0) / dt
        return found

    def shifted(self, features: np.ndarray, spread: float, draws: int) -> Iterator[np.ndarray]:
        """Copies of features `(steps, n, feature_dim)`, each shifted by an error of size `spread`.

        The errors are in standard deviations of the reference states: `draws` normal ones, the
        same for all `n`, and the opposite of each.
        """
        rng = np.random.default_rng(0)
        for _ in range(draws):
            error = np.zeros((len(features), 1, features.shape[-1]))
            drawn = rng.standard_normal((len(features), 1, len(self.columns)))
            error[..., self.columns] = spread * self._spread * drawn
            yield features + error
            yield features - error
