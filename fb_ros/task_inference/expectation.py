"""The reward that a model expects of a task."""

from __future__ import annotations

import numpy as np

from fb_ros.backends.graphs import VALUE, Precision
from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.policy import Policy
from fb_ros.task_inference.magnitude import magnitude

# An expectation is averaged over this many states: enough for two digits in a few milliseconds.
_STATES = 32


class Expectation:
    """Values under a bundle's policy, averaged over a few of its reference states."""

    def __init__(
        self, bundle: Bundle, backend: str = "auto", precision: Precision = "fp32"
    ) -> None:
        self._policy = Policy(bundle, backend, precision)
        self._graph = bundle.load_graph(VALUE, backend)
        self._gamma = bundle.gamma
        self._observations = bundle.reference_observations[:_STATES]
        self._of, self._last = b"", np.empty(0)

    def reward(self, z: np.ndarray, mean: np.ndarray) -> float:
        """The reward that the model expects on average while it follows `z` `(z_dim,)`.

        `mean` `(z_dim,)` is `E[r(s) B(s, z)]` of the reward; the average is over the discounted
        future, `(1 - gamma) F(s, a, z)^T mean`, and over the ensemble.
        """
        count = len(self._observations)
        actions = self._actions(z)
        unit = magnitude(mean)
        rows = {"z": np.tile(z, (count, 1)), "reward": np.tile(mean / unit, (count, 1))}
        q = self._graph.run({"observation": self._observations, "action": actions, **rows})[0]
        return unit * float((1.0 - self._gamma) * q.mean())

    def _actions(self, z: np.ndarray) -> np.ndarray:
        # One encoding is asked about several rewards, and computing its actions is most of the
        # work.
        if self._of != z.tobytes():
            actions = [self._policy.action(row, z) for row in self._observations]
            self._of, self._last = z.tobytes(), np.stack(actions)
        return self._last
