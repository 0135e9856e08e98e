"""A small policy network in numpy, for the processes that simulate and do without torch."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class NumpyPolicy:
    """Affine layers with ReLU between them and tanh at the end."""

    mean: np.ndarray
    """Subtracted from an observation, `(obs_dim,)`."""
    scale: np.ndarray
    """Factors that it is then multiplied by, `(obs_dim,)`."""
    weights: tuple[np.ndarray, ...]
    """`(inputs, outputs)` each."""
    biases: tuple[np.ndarray, ...]
    """`(outputs,)` each."""

    def action(self, observation: np.ndarray) -> np.ndarray:
        """The action in `[-1, 1]` of an observation `(obs_dim,)`."""
        x = ((observation - self.mean) * self.scale).astype(np.float32)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ weight + bias, 0.0)
        return np.tanh(x @ self.weights[-1] + self.biases[-1])
