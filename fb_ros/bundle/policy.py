"""The policy of a bundle: maps an observation and `z` to a command."""

from __future__ import annotations

import numpy as np

from fb_ros.backends.graphs import BEST_OF, CANDIDATES, POLICY, Precision
from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.time_limit import within
from fb_ros.errors import FbRosError

# A runtime's first calls set up its memory.
_WARM_UP_CALLS = 10
_WARM_UP_SECONDS = 60.0


class Policy:
    """`pi(s, z)` on an inference backend, with answers in physical units."""

    _graph_name = POLICY

    def __init__(
        self, bundle: Bundle, backend: str = "auto", precision: Precision = "fp32"
    ) -> None:
        self._robot = bundle.robot
        self._graph = bundle.load_graph(self._graph_name, backend, precision=precision)
        self._no_noise = np.zeros((1, bundle.robot.act_dim), dtype=np.float32)

    @property
    def runtime(self) -> str:
        """The runtime and the device, for a log line."""
        return self._graph.runtime

    def action(self, observation: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Action in `[-1, 1]`, `(act_dim,)`, float32."""
        inputs = {"observation": observation[None], "z": z[None], "noise": self._noise()}
        return self._graph.run(inputs)[0][0]

    def command(self, observation: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Command in physical units, `(act_dim,)`, float64."""
        return self._robot.command_from_action(self.action(observation, z).astype(np.float64))

    def _noise(self) -> np.ndarray:
        """No noise: the policy gives the mean action."""
        return self._no_noise


class BestOfPolicy(Policy):
    """Evaluation-based sampling: of the mean and noisy actions, takes the one `F` values most."""

    _graph_name = BEST_OF

    def __init__(
        self,
        bundle: Bundle,
        backend: str = "auto",
        precision: Precision = "fp32",
        *,
        seed: int = 0,
    ) -> None:
        """`seed` is the seed of the noise."""
        super().__init__(bundle, backend, precision)
        self._rng = np.random.default_rng(seed)

    def _noise(self) -> np.ndarray:
        noise = self._rng.standard_normal((CANDIDATES, self._robot.act_dim), dtype=np.float32)
        noise[0] = 0.0
        return noise


def warm_up(policy: Policy, bundle: Bundle) -> None:
    """Calls a policy of `bundle` until its runtime's memory is set up.

    Refuses a policy that hangs or whose command is not finite.
    """
    example = np.asarray(bundle.reference_observations[0], dtype=np.float64)
    no_z = np.zeros(bundle.z_dim, dtype=np.float32)
    command = within(
        _WARM_UP_SECONDS,
        "warming up the policy",
        lambda: [policy.command(example, no_z) for _ in range(_WARM_UP_CALLS)][-1],
    )
    if not np.all(np.isfinite(command)):
        raise FbRosError(f"{bundle.path}: the policy's command is not finite")
