"""The networks: `backward_map`, `forward_map` and the policy."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from training.observed_features import ObservedFeatures


def project_z(z: torch.Tensor, blocks: int) -> torch.Tensor:
    """Scales each of the equal `blocks` of `z` `(..., d)` to the norm `sqrt(d / blocks)`."""
    parts = z.unflatten(-1, (blocks, -1))
    scaled = functional.normalize(parts, dim=-1) * math.sqrt(parts.shape[-1])
    return scaled.flatten(-2)


class Normalizer(nn.Module):
    """Shifts and scales its input by the data's mean and standard deviation, both `(n,)`."""

    def __init__(self, mean: torch.Tensor, std: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean)
        # A component that never varies carries nothing: it becomes zero and not huge.
        self.register_buffer("scale", torch.where(std > 1e-6, 1.0 / std.clamp(min=1e-6), 0.0))
        self.mean: torch.Tensor
        self.scale: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) * self.scale


class ParallelLinear(nn.Module):
    """`count` independent affine maps, from `(count, n, inputs)` to `(count, n, outputs)`."""

    def __init__(self, count: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(count, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(count, 1, outputs))
        for weight in self.weight.data:
            nn.init.orthogonal_(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.baddbmm(self.bias, x, self.weight)


class BackwardMap(nn.Module):
    """`B(s, z)` in auto-regressive blocks: block `k` reads its features and `z_1 … z_{k-1}`.

    `reads` `(blocks, feature_dim)` is 1 where a block reads a component of the features. The
    first layer is the sum of a state part and a `z` part, so that one state part serves every
    `z`. Each block of the output lies on the sphere of radius `sqrt(d_k)`.
    """

    def __init__(
        self,
        features: Normalizer,
        *,
        reads: torch.Tensor,
        d: int,
        blocks: int,
        hidden: int,
        fourier: int,
        fourier_scale: float,
    ) -> None:
        super().__init__()
        self.features = features
        self.d, self.blocks = d, blocks
        feature_dim = reads.shape[-1]
        # Blocks that read the same share one computation of its Fourier features.
        views, block_view = torch.unique(reads.float(), dim=0, return_inverse=True)
        self.register_buffer("views", views)
        self.register_buffer("block_view", block_view)
        self.views: torch.Tensor
        self.block_view: torch.Tensor
        self.register_buffer("frequencies", fourier_scale * torch.randn(feature_dim, fourier))
        self.frequencies: torch.Tensor
        self.state_part = ParallelLinear(blocks, feature_dim + 2 * fourier, hidden)
        self.z_part = ParallelLinear(blocks, d, hidden)
        # Block k of the mask lets through the components of z_1 … z_{k-1} alone.
        block = torch.arange(d) // (d // blocks)
        allowed = block[None, :] < torch.arange(blocks)[:, None]
        self.register_buffer("mask", allowed.unsqueeze(-1).float())
        self.mask: torch.Tensor
        self.middle = ParallelLinear(blocks, hidden, hidden)
        self.last = ParallelLinear(blocks, hidden, d // blocks)

    @property
    def reads(self) -> torch.Tensor:
        """1 where a block reads a component of the features, `(blocks, feature_dim)`."""
        return self.views[self.block_view]

    def embed_state(self, features: torch.Tensor) -> torch.Tensor:
        """The part of the first layer that depends on the features `(…, feature_dim)` alone.

        All embeddings have the blocks as their first dimension: `(blocks, …, hidden)`.
        """
        x = self.features(features)
        x = x * self.views.view(-1, *[1] * (x.ndim - 1), x.shape[-1])
        angles = x @ self.frequencies
        x = torch.cat([x, angles.sin(), angles.cos()], dim=-1)[self.block_view]
        part = torch.baddbmm(self.state_part.bias, x.flatten(1, -2), self.state_part.weight)
        return part.reshape(*x.shape[:-1], part.shape[-1])

    def embed_z(self, z: torch.Tensor) -> torch.Tensor:
        """The part of the first layer that depends on `z` `(…, d)` alone."""
        flat = z.reshape(-1, z.shape[-1]).expand(self.blocks, -1, -1)
        part = torch.baddbmm(self.z_part.bias, flat, self.z_part.weight * self.mask)
        return part.reshape(self.blocks, *z.shape[:-1], part.shape[-1])

    def combine(self, state_part: torch.Tensor, z_part: torch.Tensor) -> torch.Tensor:
        """`B` from the two parts, which broadcast against each other: `(…, d)`."""
        x = functional.relu(state_part + z_part)
        shape = x.shape[1:-1]
        x = functional.relu(self.middle(x.flatten(1, -2)))
        with torch.autocast(x.device.type, enabled=False):
            x = self.last(x.to(self.last.weight.dtype))
            return project_z(x.transpose(0, 1).flatten(1).unflatten(0, shape), self.blocks)

    def forward(self, features: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return self.combine(self.embed_state(features), self.embed_z(z))

    def block(self, k: int, state_part: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """Block `k` alone, `(…, n, d_k)`, for its state part `(…, n, hidden)` and `z` `(…, d)`."""
        z_part = z @ (self.z_part.weight[k] * self.mask[k]) + self.z_part.bias[k, 0]
        x = functional.relu(state_part + z_part.unsqueeze(-2))
        x = functional.relu(x @ self.middle.weight[k] + self.middle.bias[k])
        return project_z(x @ self.last.weight[k] + self.last.bias[k], 1)

    def likeness(self, features: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """How much a state is what `z` asks for, in each block: `(…, blocks)`, at most 1.

        The inner product of `B_k(s, z)` and `z_k` over `d_k`: the reward that `z` stands for, at
        the resolution of each block. A network that reads `z` alone would have to learn this
        comparison anew, and learns it only coarsely.
        """
        return self.compare(self(features, z), z)

    def compare(self, backward: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """The likeness of states whose `B(s, z)` is `backward` `(…, d)`."""
        return (backward * z).unflatten(-1, (self.blocks, -1)).mean(-1)


class Dynamics(nn.Module):
    """The next observation `(n, obs_dim)` of an observation and an action, one control period on.

    Predicts the change in units of its standard deviation in the data, `change` `(obs_dim,)`.
    """

    def __init__(
        self, observation: Normalizer, *, obs_dim: int, act_dim: int, hidden: int
    ) -> None:
        super().__init__()
        self.observation = observation
        self.register_buffer("change", torch.ones(obs_dim))
        self.change: torch.Tensor
        self.net = nn.Sequential(
            nn.Linear(obs_dim + act_dim, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.last = nn.Linear(hidden, obs_dim)

    def scaled_change(self, observation: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        """The predicted change in units of `change`."""
        x = self.net(torch.cat([self.observation(observation), action], dim=-1))
        with torch.autocast(x.device.type, enabled=False):
            change: torch.Tensor = self.last(x.to(self.last.weight.dtype))
            return change

    def forward(self, observation: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        return observation + self.change * self.scaled_change(observation, action)


class ForwardMap(nn.Module):
    """`F(s, a, z)`: an ensemble of fully parallel networks, from `(n, …)` to `(P, n, d)`.

    `F` counts the visits from the next state on, and so, where the next state follows from state
    and action, it depends on these through the next state alone: `F(s, a, z) = F'(s', z)`. The
    next state is predicted by `dynamics`, learned by regression and shared by the ensemble. How
    `F` changes with the action, which is all that the policy learns from, then comes from the
    accurate dynamics and from the slope of `F'` along the state, and needs no trust in `F` at
    actions that the data lack.
    """

    def __init__(
        self,
        observation: Normalizer,
        *,
        obs_dim: int,
        act_dim: int,
        d: int,
        blocks: int,
        hidden: int,
        ensemble: int,
    ) -> None:
        super().__init__()
        self.observation = observation
        self.ensemble = ensemble
        self.dynamics = Dynamics(observation, obs_dim=obs_dim, act_dim=act_dim, hidden=hidden)
        self.first = ParallelLinear(ensemble, obs_dim + d + blocks, hidden)
        # Starts as if the likeness were not there, so that early errors of B do no harm.
        self.first.weight.data[:, obs_dim + d :] = 0.0
        self.second = ParallelLinear(ensemble, hidden, hidden)
        self.third = ParallelLinear(ensemble, hidden, hidden)
        self.last = ParallelLinear(ensemble, hidden, d)

    def from_next(
        self, next_observation: torch.Tensor, z: torch.Tensor, likeness: torch.Tensor
    ) -> torch.Tensor:
        """`F'(s', z)`, `(P, n, d)`; `likeness` `(n, blocks)` is that of `s'` to the task `z`."""
        x = torch.cat([self.observation(next_observation), z, likeness], dim=-1)
        x = functional.relu(self.first(x.expand(self.ensemble, -1, -1)))
        x = functional.relu(self.third(functional.relu(self.second(x))))
        with torch.autocast(x.device.type, enabled=False):
            embedding: torch.Tensor = self.last(x.to(self.last.weight.dtype))
            return embedding

    def forward(
        self,
        observation: torch.Tensor,
        action: torch.Tensor,
        z: torch.Tensor,
        backward_map: BackwardMap,
        observed: ObservedFeatures,
    ) -> torch.Tensor:
        """`observed` gives what `backward_map` reads of an observation."""
        next_observation = self.dynamics(observation, action)
        likeness = backward_map.likeness(observed(next_observation), z)
        return self.from_next(next_observation, z, likeness)


class Policy(nn.Module):
    """`pi(s, z)`: the mean action in `[-1, 1]`, `(n, act_dim)`."""

    def __init__(
        self, observation: Normalizer, *, obs_dim: int, act_dim: int, d: int, hidden: int
    ) -> None:
        super().__init__()
        self.observation = observation
        self.net = nn.Sequential(
            nn.Linear(obs_dim + d, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
        )
        self.last = nn.Linear(hidden, act_dim)

    def forward(self, observation: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        x = self.net(torch.cat([self.observation(observation), z], dim=-1))
        with torch.autocast(x.device.type, enabled=False):
            return torch.tanh(self.last(x.to(self.last.weight.dtype)))
