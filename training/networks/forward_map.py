"""`F(s, a, z)`: the forward map, in its textbook form and through learned dynamics."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from training.networks.backward_map import BackwardMap
from training.networks.layers import Normalizer, ParallelLinear
from training.networks.observed_features import ObservedFeatures


class DirectForwardMap(nn.Module):
    """`F(s, a, z)`: an ensemble of fully parallel networks, from `(n, …)` to `(P, n, d)`.

    This is the textbook form, with the two towers of Touati, Rapin and Ollivier (2023): one reads
    state and action, the other state and task, each with half the width, and a trunk reads both.
    """

    def __init__(
        self,
        observation: Normalizer,
        *,
        obs_dim: int,
        act_dim: int,
        d: int,
        hidden: int,
        ensemble: int,
    ) -> None:
        super().__init__()
        self.observation = observation
        self.ensemble = ensemble
        self.action_tower = Tower(ensemble, obs_dim + act_dim, hidden)
        self.task_tower = Tower(ensemble, obs_dim + d, hidden)
        self.trunk = ParallelLinear(ensemble, 2 * (hidden // 2), hidden)
        self.last = ParallelLinear(ensemble, hidden, d)

    def embed_task(self, observation: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        """The second tower's output for state and task, `(P, n, hidden / 2)`."""
        return self.task_tower(torch.cat([self.observation(observation), z], dim=-1))

    def forward(
        self,
        observation: torch.Tensor,
        action: torch.Tensor,
        z: torch.Tensor,
    ) -> torch.Tensor:
        task = self.embed_task(observation, z)
        x = self.action_tower(torch.cat([self.observation(observation), action], dim=-1))
        x = functional.relu(self.trunk(torch.cat([x, task], dim=-1)))
        with torch.autocast(x.device.type, enabled=False):
            embedding: torch.Tensor = self.last(x.to(self.last.weight.dtype))
            return embedding

    def of_actions(
        self, observation: torch.Tensor, actions: torch.Tensor, z: torch.Tensor
    ) -> torch.Tensor:
        """`F` of several actions in each state, `actions` `(m, n, act_dim)`: `(P, m, n, d)`.

        Parts that depend only on the state or the task are computed once for all actions, which
        leaves little more than half of the work. If the actions have a gradient, only the parts
        that read them have one.
        """
        count, split = len(actions), observation.shape[-1]
        first, trunk, half = self.action_tower.first, self.trunk, self.trunk.weight.shape[1] // 2
        state = self.observation(observation).expand(self.ensemble, -1, -1)
        x = actions.flatten(0, 1).expand(self.ensemble, -1, -1) @ first.weight[:, split:]
        by_state = torch.baddbmm(first.bias, state, first.weight[:, :split])
        x = self.action_tower.finish(x.unflatten(1, (count, -1)) + by_state.unsqueeze(1))
        by_task = torch.baddbmm(
            trunk.bias, self.embed_task(observation, z), trunk.weight[:, half:]
        )
        x = (x.flatten(1, 2) @ trunk.weight[:, :half]).unflatten(1, (count, -1))
        x = functional.relu(x + by_task.unsqueeze(1)).flatten(1, 2)
        with torch.autocast(x.device.type, enabled=False):
            embedding: torch.Tensor = self.last(x.to(self.last.weight.dtype))
            return embedding.unflatten(1, (count, -1))


class Tower(nn.Module):
    """Two layers of `F`, the first one normalised: `(n, inputs)` to `(P, n, hidden / 2)`."""

    def __init__(self, ensemble: int, inputs: int, hidden: int) -> None:
        super().__init__()
        self.first = ParallelLinear(ensemble, inputs, hidden)
        self.second = ParallelLinear(ensemble, hidden, hidden // 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.finish(self.first(x.expand(self.first.weight.shape[0], -1, -1)))

    def finish(self, x: torch.Tensor) -> torch.Tensor:
        """The rest of the tower after the first layer's sums, `(P, …, hidden)`."""
        x = torch.tanh(functional.layer_norm(x, x.shape[-1:]))
        shape = x.shape[1:-1]
        return functional.relu(self.second(x.flatten(1, -2))).unflatten(1, shape)


class Dynamics(nn.Module):
    """The next observation `(n, obs_dim)` after an observation and an action, one control period
    later.

    It predicts the change in units of the change's standard deviation in the data, `change`
    `(obs_dim,)`.
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


class DynamicsForwardMap(nn.Module):
    """`F(s, a, z)`: an ensemble of fully parallel networks, from `(n, …)` to `(P, n, d)`.

    `F` counts the visits from the next state on. If the next state follows from state and action,
    `F` depends on these only through the next state: `F(s, a, z) = F'(s', z)`. The next state is
    predicted by `dynamics`, which regression learns and the ensemble shares. The policy learns
    only from how `F` changes with the action. Here that comes from the accurate dynamics and from
    the slope of `F'` along the state, and needs no trust in `F` at actions that the data lack.
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
        # The likeness has no weight at first, so that early errors of B do no harm.
        self.first.weight.data[:, obs_dim + d :] = 0.0
        self.second = ParallelLinear(ensemble, hidden, hidden)
        self.third = ParallelLinear(ensemble, hidden, hidden)
        self.last = ParallelLinear(ensemble, hidden, d)

    def from_next(
        self, next_observation: torch.Tensor, z: torch.Tensor, likeness: torch.Tensor
    ) -> torch.Tensor:
        """`F'(s', z)`, `(P, n, d)`; `likeness` `(n, blocks)` is the likeness of `s'` to the task
        `z`."""
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
        """`observed` computes the inputs of `backward_map` from an observation."""
        next_observation = self.dynamics(observation, action)
        likeness = backward_map.likeness(observed(next_observation), z)
        return self.from_next(next_observation, z, likeness)
