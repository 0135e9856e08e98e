"""Imagines a robot's future under some encodings, by its model's learned dynamics."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from fb_ros.backends.graphs import IMAGINE
from fb_ros.bundle.bundle import Bundle
from fb_ros.robot.joint_stops import JointStops
from fb_ros.robot.observed_features import observed_features
from fb_ros.robot.possible_observation import possible_observation
from fb_ros.task_inference.known_states import KnownStates


class Imagined(NamedTuple):
    """The imagined course of `n` runs."""

    features: np.ndarray
    """Features after each control period, `(steps, n, feature_dim)`; those that `B` does not read
    are zero."""
    pushed: np.ndarray
    """How far a joint was pushed beyond where data show that it stops, rad, `(steps, n)`; the
    model's predictions from there are not to be believed."""
    last: np.ndarray
    """The last observations, `(n, obs_dim)`."""


class Imagination:
    """Runs the policy in the learned dynamics, many encodings at a time."""

    def __init__(self, bundle: Bundle) -> None:
        robot = bundle.robot
        # The graph runs on the CPU: a hundred small steps in sequence gain nothing from an
        # accelerator.
        self._graph = bundle.load_graph(IMAGINE, "onnxruntime")
        self._project = possible_observation(robot)
        self._stops = JointStops(robot, bundle.reference_observations)
        self._matrix, self._offset = observed_features(robot, bundle.encoder_features)
        self.known = KnownStates(bundle)
        """The states in which the imagination can be trusted."""
        self._feature_dim = robot.feature_dim

    def run(self, observation: np.ndarray, z: np.ndarray, steps: int) -> Imagined:
        """Runs `steps` control periods from observations `(n, obs_dim)` under `z` `(n, z_dim)`."""
        features, pushed = np.zeros((steps, len(z), self._feature_dim)), np.zeros((steps, len(z)))
        for row, push in zip(features, pushed, strict=True):
            _, following = self._graph.run({"observation": observation, "z": z})
            observation = self._project(following)
            push[:] = self._stops.stop(observation)
            row[:, self.known.columns] = observation @ self._matrix + self._offset
        return Imagined(features, pushed, observation)

    def read(self, observation: np.ndarray) -> np.ndarray:
        """The features that `B` reads, `(k,)`, of the state with this observation `(obs_dim,)`."""
        found: np.ndarray = observation @ self._matrix + self._offset
        return found
