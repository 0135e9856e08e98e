"""What a robot would do under some encodings, by the dynamics that its model has learned."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fb_ros.backends.graphs import IMAGINE
from fb_ros.bundle.bundle import Bundle
from fb_ros.robot.field import layout_slices
from fb_ros.robot.observed_features import observed_features
from fb_ros.robot.possible_observation import possible_observation

# Quantiles of the reference states' features between which the model knows its way.
_KNOWN = 0.001


class Imagination:
    """Runs the policy in the learned dynamics, many encodings at a time."""

    def __init__(self, bundle: Bundle) -> None:
        robot = bundle.robot
        # On the CPU: a hundred small steps one after the other are nothing for an accelerator.
        self._graph = bundle.load_graph(IMAGINE, "onnxruntime")
        self._project = possible_observation(robot)
        self._matrix, self._offset = observed_features(robot, bundle.encoder_features)
        slices = layout_slices(robot.features)
        self._columns = np.concatenate(
            [np.arange(robot.feature_dim)[slices[name]] for name in bundle.encoder_features]
        )
        self._feature_dim = robot.feature_dim
        read = bundle.reference_features[:, self._columns].astype(np.float64)
        self._low, self._high = np.quantile(read, (_KNOWN, 1.0 - _KNOWN), axis=0)
        self._spread = np.maximum(read.std(axis=0), 1e-3)

    def run(
        self, observation: np.ndarray, z: np.ndarray, steps: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Features after each of so many control periods, and the last observations.

        From observations `(n, obs_dim)` under encodings `(n, z_dim)`, a row each. The features
        are `(steps, n, feature_dim)`; those that `B` does not read are zero.
        """
        features = np.zeros((steps, len(z), self._feature_dim))
        for row in features:
            _, following = self._graph.run({"observation": observation, "z": z})
            observation = self._project(following)
            row[:, self._columns] = observation @ self._matrix + self._offset
        return features, observation

    def outside(self, features: np.ndarray) -> np.ndarray:
        """How far features `(…, feature_dim)` lie outside the reference states, `(…,)`.

        In standard deviations of them, from their 0.1st to 99.9th percentiles.
        """
        read = features[..., self._columns]
        excess = np.maximum(read - self._high, self._low - read)
        found: np.ndarray = np.linalg.norm(np.maximum(excess, 0.0) / self._spread, axis=-1)
        return found

    def shifted(self, features: np.ndarray, spread: float, draws: int) -> Iterator[np.ndarray]:
        """Copies of features `(steps, n, feature_dim)`, each wrong by so much.

        In standard deviations of the reference states; `draws` errors, normal and alike for all
        `n`, and the opposite of each.
        """
        rng = np.random.default_rng(0)
        for _ in range(draws):
            error = np.zeros((len(features), 1, features.shape[-1]))
            drawn = rng.standard_normal((len(features), 1, len(self._columns)))
            error[..., self._columns] = spread * self._spread * drawn
            yield features + error
            yield features - error

    def read(self, observation: np.ndarray) -> np.ndarray:
        """What `B` reads of the state with this observation `(obs_dim,)`, `(k,)`."""
        found: np.ndarray = observation @ self._matrix + self._offset
        return found
