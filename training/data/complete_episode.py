"""Completing arrays that others wrote into an episode of ours."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from training.data.episode import Episode
from training.data.observed_state import features_from_observation


class EpisodeCompleter:
    """Converts the arrays of an episode to the layout of one robot."""

    def __init__(self, spec: RobotSpec) -> None:
        self.spec = spec

    def complete(self, arrays: Mapping[str, np.ndarray]) -> Episode:
        """The episode; refuses arrays that do not determine the robot's state.

        Arrays with `features` are ours, and stay as they are. Others, such as ExORL's, were
        observed in another layout: observation and features are recomputed from the stored
        physics. Without physics the observation has to be in the robot's own layout.
        """
        spec, observation = self.spec, arrays["observation"]
        rows = len(observation)
        physics = arrays.get("physics", np.zeros((rows, 0)))
        if physics.shape[1]:
            self._require_width("physics", physics, self._simulated.physics_size)
        if "features" in arrays:
            features = arrays["features"]
            self._require_width("features", features, spec.feature_dim)
            self._require_width("observation", observation, spec.obs_dim)
        elif physics.shape[1]:
            if self._simulated.spec != spec:
                raise FbRosError(f"robot {spec.name} is simulated by another description")
            first = self._simulated.robot_states(physics[:1])
            commands = spec.commands_before(first, arrays["action"][1:])
            state = self._simulated.robot_states(physics, commands)
            observation = assemble(spec.observation, state)
            features = assemble(spec.features, state)
        else:
            self._require_width("observation", observation, spec.obs_dim)
            features = features_from_observation(spec, observation)
        reward = arrays.get("reward", np.zeros((rows, 1)))
        if reward.shape[1] != 1:  # Rewards of several tasks, which readers compute as needed.
            reward = np.zeros((rows, 1))
        return Episode(
            observation=observation.astype(np.float32),
            action=np.clip(arrays["action"], -1.0, 1.0).astype(np.float32),
            reward=reward.astype(np.float32),
            discount=arrays["discount"].astype(np.float32),
            physics=physics.astype(np.float64),
            features=features.astype(np.float32),
        )

    @functools.cached_property
    def _simulated(self) -> Environment:
        return make_environment(self.spec.name)

    def _require_width(self, name: str, array: np.ndarray, expected: int) -> None:
        if array.shape[1] != expected:
            raise FbRosError(
                f"{name} has {array.shape[1]} components, robot {self.spec.name} has {expected}"
            )
