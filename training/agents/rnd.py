"""Random network distillation: a reward for reaching states not visited before.

Burda, Edwards, Storkey and Klimov, 2018 (arXiv 1810.12894): a network learns to predict the output
of a fixed random network for a state; a large error means that the state is new.
"""

from __future__ import annotations

import torch
from torch import nn

_SIZE = 64
_CLIP = 5.0
# Share of the newest batch in the running scale of the errors.
_SCALE_RATE = 0.01


class RandomNetworkDistillation(nn.Module):
    """The random network, its predictor, and the scale of the errors."""

    def __init__(self, obs_dim: int, hidden: int) -> None:
        super().__init__()
        self.target = _network(obs_dim, hidden, 2).requires_grad_(False)
        self.predictor = _network(obs_dim, hidden, 3)
        self.register_buffer("scale", torch.ones(()))
        self.scale: torch.Tensor

    def error(self, observation: torch.Tensor) -> torch.Tensor:
        """Mean square error of the prediction for normalised observations `(n, obs_dim)`."""
        x = observation.clamp(-_CLIP, _CLIP)
        return (self.predictor(x) - self.target(x)).square().mean(-1)

    def learn(self, observation: torch.Tensor, optimizer: torch.optim.Optimizer) -> torch.Tensor:
        """Returns the bonus of each observation, `(n,)`; the predictor learns from them
        afterwards."""
        error = self.error(observation)
        optimizer.zero_grad(set_to_none=True)
        error.mean().backward()
        optimizer.step()
        found = error.detach()
        self.scale.lerp_(found.std().clamp(min=1e-6), _SCALE_RATE)
        return found / self.scale


def _network(inputs: int, hidden: int, layers: int) -> nn.Sequential:
    parts: list[nn.Module] = []
    for size in [inputs, *[hidden] * (layers - 1)]:
        parts += [nn.Linear(size, hidden), nn.ReLU()]
    return nn.Sequential(*parts, nn.Linear(hidden, _SIZE))
