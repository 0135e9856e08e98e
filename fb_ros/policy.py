"""The policy of a bundle: from an observation and `z` to a command."""

from __future__ import annotations

import numpy as np

from fb_ros.bundle import POLICY, Bundle


class Policy:
    """`pi(s, z)` on an inference backend, answering in physical units."""

    def __init__(self, bundle: Bundle, backend: str = "auto") -> None:
        self._robot = bundle.robot
        self._graph = bundle.load_graph(POLICY, backend)

    def action(self, observation: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Action in `[-1, 1]`, `(act_dim,)`, float32."""
        return self._graph.run({"observation": observation[None], "z": z[None]})[0][0]

    def command(self, observation: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Command in physical units, `(act_dim,)`, float64."""
        return self._robot.command_from_action(self.action(observation, z).astype(np.float64))
