"""The policy network, deterministic with smoothing noise or with a learned spread."""

from __future__ import annotations

import math

import torch
from torch import nn

from training.compute.device import moved
from training.networks import truncated_normal
from training.networks.layers import Normalizer

# Narrowest and widest learned spread, in units of the action's half range. A narrower one would
# let a single action of the data have any likelihood.
_SCALE_LOW, _SCALE_HIGH = 0.05, 1.0


class Policy(nn.Module):
    """`pi(a | s, z)`: actions in `[-1, 1]`, `(n, act_dim)`, around a mean.

    With `learns_scale` the spread is a second output, and the policy is a truncated Gaussian,
    under which the data's own actions have a density. Without it the policy is its mean, and the
    spread is that of TD3's smoothing noise, `noise`.
    """

    def __init__(
        self,
        observation: Normalizer,
        *,
        obs_dim: int,
        act_dim: int,
        d: int,
        hidden: int,
        learns_scale: bool = False,
        noise: float = 0.0,
    ) -> None:
        super().__init__()
        self.observation = observation
        self.act_dim, self.learns_scale, self.noise = act_dim, learns_scale, noise
        self.net = nn.Sequential(
            nn.Linear(obs_dim + d, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.last = nn.Linear(hidden, 2 * act_dim if learns_scale else act_dim)

    def forward(self, observation: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """The mean action, `(n, act_dim)`."""
        return self.mean_and_scale(observation, z)[0]

    def mean_and_scale(
        self, observation: torch.Tensor, z: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Centre and spread of the actions in `[-1, 1]`, both `(n, act_dim)`."""
        x = self.net(torch.cat([self.observation(observation), z], dim=-1))
        with torch.autocast(x.device.type, enabled=False):
            out = self.last(x.to(self.last.weight.dtype))
            mean = torch.tanh(out[..., : self.act_dim])
            if not self.learns_scale:
                return mean, torch.full_like(mean, self.noise)
            share = torch.sigmoid(out[..., self.act_dim :])
            low, high = math.log(_SCALE_LOW), math.log(_SCALE_HIGH)
            return mean, torch.exp(low + (high - low) * share)

    def sample(
        self, observation: torch.Tensor, z: torch.Tensor, generator: torch.Generator, count: int
    ) -> torch.Tensor:
        """`count` actions from each row's distribution, `(count, n, act_dim)`; differentiable."""
        return self.draw(*self.mean_and_scale(observation, z), generator, count)

    @staticmethod
    def draw(
        mean: torch.Tensor, scale: torch.Tensor, generator: torch.Generator, count: int
    ) -> torch.Tensor:
        """The same for distributions that are already computed."""
        uniform = moved(torch.rand((count, *mean.shape), generator=generator), mean.device)
        return truncated_normal.sample(mean, scale, uniform)
