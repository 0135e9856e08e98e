"""TD3 for one reward: it explores online, and it is the topline of zero-shot models.

Twin delayed deep deterministic policy gradients (Fujimoto, van Hoof and Meger, 2018, arXiv
1802.09477), with the actor updated at every step.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from training.agents.numpy_policy import NumpyPolicy
from training.agents.td3_config import Td3Config
from training.compute.device import CPU, moved
from training.networks.layers import Normalizer, ParallelLinear
from training.networks.weights import copied


@dataclasses.dataclass(frozen=True, kw_only=True)
class RewardedBatch:
    """Transitions `(n, …)`, each with the reward of its next state, `(n,)`."""

    observation: torch.Tensor
    action: torch.Tensor
    reward: torch.Tensor
    next_observation: torch.Tensor
    discount: torch.Tensor
    """0 where the episode ended in a terminal state and 1 elsewhere, `(n,)`."""

    def to(self, device: torch.device) -> RewardedBatch:
        """The same on `device`."""
        return RewardedBatch(**{name: moved(value, device) for name, value in vars(self).items()})


class Critics(nn.Module):
    """Two parallel estimates of `Q(s, a)`, `(2, n)`."""

    def __init__(self, obs_dim: int, act_dim: int, hidden: int) -> None:
        super().__init__()
        self.first = ParallelLinear(2, obs_dim + act_dim, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.second = ParallelLinear(2, hidden, hidden)
        self.last = ParallelLinear(2, hidden, 1)

    def forward(self, observation: torch.Tensor, action: torch.Tensor) -> torch.Tensor:
        x = torch.cat([observation, action], dim=-1).expand(2, -1, -1)
        x = functional.relu(self.norm(self.first(x)))
        values: torch.Tensor = self.last(functional.relu(self.second(x)))
        return values.squeeze(-1)


class Td3:
    """An actor and its critics; they normalise observations themselves."""

    def __init__(
        self,
        config: Td3Config,
        obs_dim: int,
        act_dim: int,
        normalizer: Normalizer,
        device: torch.device = CPU,
    ) -> None:
        """Starts from weights that depend only on the seed, not on the `device`."""
        self.config = config
        self.normalizer = normalizer.to(device)
        self.actor = nn.Sequential(
            nn.Linear(obs_dim, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, act_dim),
            nn.Tanh(),
        ).to(device)
        self.critics = Critics(obs_dim, act_dim, config.hidden).to(device)
        self.target = copy.deepcopy(self.critics).requires_grad_(False)
        self.target_actor = copy.deepcopy(self.actor).requires_grad_(False)
        rate = config.learning_rate
        self.actor_optimizer = torch.optim.Adam(self.actor.parameters(), lr=rate, fused=True)
        self.critic_optimizer = torch.optim.Adam(self.critics.parameters(), lr=rate, fused=True)

    def update(self, batch: RewardedBatch, generator: torch.Generator) -> dict[str, torch.Tensor]:
        """Makes one step of critics and actor; the batch is on their device."""
        config = self.config
        here, after = self.normalizer(batch.observation), self.normalizer(batch.next_observation)
        with torch.no_grad():
            action = self.target_actor(after)
            noise = torch.randn(action.shape, generator=generator)
            noise = config.noise * moved(noise, action.device)
            action = action + noise.clamp(-config.noise_clip, config.noise_clip)
            value = self.target(after, action.clamp(-1.0, 1.0)).amin(0)
            target = batch.reward + config.gamma * batch.discount * value
        q = self.critics(here, batch.action)
        critic_loss = (q - target).square().mean()
        self.critic_optimizer.zero_grad(set_to_none=True)
        critic_loss.backward()
        self.critic_optimizer.step()

        self.critics.requires_grad_(False)
        actor_loss = -self.critics(here, self.actor(here)).amin(0).mean()
        self.critics.requires_grad_(True)
        self.actor_optimizer.zero_grad(set_to_none=True)
        actor_loss.backward()
        self.actor_optimizer.step()
        with torch.no_grad():
            for target_net, online in (
                (self.target, self.critics),
                (self.target_actor, self.actor),
            ):
                torch._foreach_lerp_(
                    list(target_net.parameters()), list(online.parameters()), config.target_rate
                )
        return {"critic_loss": critic_loss.detach(), "q": q.detach().mean()}

    def policy(self) -> NumpyPolicy:
        """The present actor, for processes without torch."""
        layers = [layer for layer in self.actor if isinstance(layer, nn.Linear)]
        return NumpyPolicy(
            mean=copied(self.normalizer.mean).numpy(),
            scale=copied(self.normalizer.scale).numpy(),
            weights=tuple(copied(layer.weight).numpy().T.copy() for layer in layers),
            biases=tuple(copied(layer.bias).numpy() for layer in layers),
        )

    def modules(self) -> dict[str, nn.Module]:
        """All networks by name."""
        return {
            "normalizer": self.normalizer,
            "actor": self.actor,
            "critics": self.critics,
            "target": self.target,
            "target_actor": self.target_actor,
        }

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        """All optimisers by name."""
        return {"actor": self.actor_optimizer, "critics": self.critic_optimizer}


def tensors_of(
    modules: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer]
) -> dict[str, torch.Tensor]:
    """The whole state of the training, as named tensors."""
    tensors = {
        f"{name}.{key}": value.clone()
        for name, module in modules.items()
        for key, value in module.state_dict().items()
    }
    for name, optimizer in optimizers.items():
        for number, entry in optimizer.state_dict()["state"].items():
            for key, value in entry.items():
                tensors[f"optimizer.{name}.{number}.{key}"] = torch.as_tensor(value).clone()
    return tensors


def load_tensors(
    tensors: Mapping[str, torch.Tensor],
    modules: Mapping[str, nn.Module],
    optimizers: Mapping[str, torch.optim.Optimizer],
) -> None:
    """Restores the tensors of `tensors_of`; raises KeyError or RuntimeError if they do not fit."""
    for name, module in modules.items():
        module.load_state_dict({key: tensors[f"{name}.{key}"] for key in module.state_dict()})
    for name, optimizer in optimizers.items():
        state: dict[int, dict[str, torch.Tensor]] = {}
        prefix = f"optimizer.{name}."
        for key, value in tensors.items():
            if key.startswith(prefix):
                number, entry = key.removeprefix(prefix).split(".", 1)
                state.setdefault(int(number), {})[entry] = value.clone()
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})


def normalizer_of(mean: np.ndarray, std: np.ndarray) -> Normalizer:
    """A normaliser with the data's `mean` and `std`, `(obs_dim,)` each."""
    return Normalizer(torch.from_numpy(mean).float(), torch.from_numpy(std).float())
