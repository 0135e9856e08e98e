"""Encodes weighted states with a bundle's chain of auto-regressive blocks."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np

from fb_ros.backends.graphs import TASK_ENCODER, Precision
from fb_ros.bundle.bundle import Bundle
from fb_ros.robot.field import layout_slices
from fb_ros.task_inference.magnitude import magnitude

# A dense reward over ten thousand states is work for several cores; more cores than these gain
# nothing.
_MOST_THREADS = 4


class Encoding(NamedTuple):
    """The encoding of a reward."""

    z: np.ndarray
    """Task encoding, `(z_dim,)`, float32."""
    mean: np.ndarray
    """`E[r(s) B(s, z)]`, `(z_dim,)`, float64, in units of the reward; with `F` it gives values of
    that reward."""


def encoder_threads() -> int:
    """How many CPU threads encoding uses on this machine."""
    return min(_MOST_THREADS, len(os.sched_getaffinity(0)))


class TaskEncoder:
    """Computes `z` of weighted states."""

    def __init__(
        self, bundle: Bundle, backend: str = "auto", precision: Precision = "fp32"
    ) -> None:
        slices = layout_slices(bundle.robot.features)
        parts = [bundle.reference_features[:, slices[name]] for name in bundle.encoder_features]
        self.reference = np.concatenate(parts, axis=1)
        """The features that `B` reads of the reference states, `(n, k)`, float32."""
        ends = np.cumsum([part.shape[1] for part in parts])
        self.columns = dict(
            zip(
                bundle.encoder_features,
                np.split(np.arange(ends[-1]), ends[:-1]),
                strict=True,
            )
        )
        """The columns of each feature in `reference`."""
        self.spread = np.maximum(self.reference.astype(np.float64).std(axis=0), 1e-3)
        """How much each column varies, `(k,)`: metres and radians have no other common measure."""
        self._graph = bundle.load_graph(TASK_ENCODER, backend, encoder_threads(), precision)

    def encode(
        self,
        features: np.ndarray,
        weights: np.ndarray,
        asked: np.ndarray,
        reward: np.ndarray | None = None,
    ) -> Encoding:
        """The encoding of states with `features` `(n, k)`, weighted by `weights` `(n,)`.

        `asked` `(blocks,)` is 0 for blocks that the task leaves open. The mean is that of `reward`
        `(n,)`, or of the weights if no reward is given.
        """
        reward = weights if reward is None else reward
        scale, unit = magnitude(weights), magnitude(reward)
        weights, reward = weights / scale, reward / unit
        # For a sparse reward most states have no weight, and they would cost as much.
        used = np.flatnonzero((weights != 0.0) | (reward != 0.0))
        z, mean = self._graph.run(
            {
                "features": features[used],
                "weights": weights[used],
                "reward": reward[used],
                "asked": asked,
            }
        )
        return Encoding(z, mean.astype(np.float64) * (unit * len(used) / len(weights)))
