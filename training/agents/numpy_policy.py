"""A small policy network in numpy, for simulating processes without torch."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class NumpyPolicy:
    """Affine layers with ReLU between them and tanh at the end."""

    mean: np.ndarray
    """Mean that is subtracted from an observation, `(obs_dim,)`."""
    scale: np.ndarray
    """Factors by which the difference is multiplied, `(obs_dim,)`."""
    weights: tuple[np.ndarray, ...]
    """Weights of each layer, `(inputs, outputs)`."""
    biases: tuple[np.ndarray, ...]
    """Biases of each layer, `(outputs,)`."""

    def action(self, observation: np.ndarray) -> np.ndarray:
        """The action in `[-1, 1]` for an observation `(obs_dim,)`."""
        x = ((observation - self.mean) * self.scale).astype(np.float32)
        for weight, bias in zip(self.weights[:-1], self.biases[:-1], strict=True):
            x = np.maximum(x @ weight + bias, 0.0)
        return np.tanh(x @ self.weights[-1] + self.biases[-1])
