"""The forward-backward agent: networks, optimisers and one update."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from fb_ros.field import Field, layout_slices
from fb_ros.robot_spec import RobotSpec
from training.agent_config import AgentConfig
from training.data import Batch, Transitions
from training.losses import (
    fb_loss,
    ortho_loss,
    pessimistic,
    policy_loss,
    q_loss,
    successor_loss,
    successor_measure,
)
from training.networks import BackwardMap, ForwardMap, Normalizer, Policy
from training.observed_features import ObservedFeatures
from training.weights import load_weights, read_weights


class Networks(nn.Module):
    """All that a trained model consists of, with the normalisers of its inputs."""

    def __init__(self, config: AgentConfig, spec: RobotSpec) -> None:
        super().__init__()
        columns = _columns(spec.features, config.features)
        self.register_buffer("columns", torch.tensor(columns))
        self.columns: torch.Tensor
        self.observed = ObservedFeatures(spec, config.features)
        reads = torch.zeros(config.blocks, len(columns))
        for block, names in enumerate(config.block_features):
            for column in _columns(spec.features, names):
                reads[block, columns.index(column)] = 1.0
        observation = Normalizer(torch.zeros(spec.obs_dim), torch.ones(spec.obs_dim))
        features = Normalizer(torch.zeros(len(columns)), torch.ones(len(columns)))
        self.backward_map = BackwardMap(
            features,
            reads=reads,
            d=config.d,
            blocks=config.blocks,
            hidden=config.backward_hidden,
            fourier=config.fourier,
            fourier_scale=config.fourier_scale,
        )
        sizes = {"obs_dim": spec.obs_dim, "act_dim": spec.act_dim, "d": config.d}
        self.forward_map = ForwardMap(
            observation,
            **sizes,
            blocks=config.blocks,
            hidden=config.hidden,
            ensemble=config.ensemble,
        )
        self.policy = Policy(observation, **sizes, hidden=config.hidden)

    def q_of(
        self,
        observation: torch.Tensor,
        action: torch.Tensor,
        z: torch.Tensor,
        reward: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """`Q = F(s, a, z)^T z` of each member of the ensemble, `(P, n)`.

        Or, with the mean `E[r B]` of a reward, `(n, d)`, the value of that reward under the
        policy of `z`.
        """
        embedding = self.forward_map(observation, action, z, self.backward_map, self.observed)
        return (embedding * (z if reward is None else reward)).sum(-1)

    def fit_normalizers(self, data: Transitions) -> None:
        """Takes the means and standard deviations from the data."""
        columns = self.columns.numpy()
        observation, features = data.moments("observation"), data.moments("features")
        for normalizer, mean, std in (
            (self.policy.observation, observation.mean, observation.std),
            (self.backward_map.features, features.mean[columns], features.std[columns]),
        ):
            fitted = Normalizer(torch.from_numpy(mean).float(), torch.from_numpy(std).float())
            normalizer.load_state_dict(fitted.state_dict())
        change = torch.from_numpy(data.moments("change").std).float()
        self.forward_map.dynamics.change.copy_(change.clamp(min=1e-6))


class Agent:
    """Trains `Networks` on batches of transitions."""

    def __init__(self, config: AgentConfig, spec: RobotSpec, data: Transitions) -> None:
        self.config = config
        self.networks = Networks(config, spec)
        self.networks.fit_normalizers(data)
        self.averaged = copy.deepcopy(self.networks).requires_grad_(False)
        self.target_forward = copy.deepcopy(self.networks.forward_map).requires_grad_(False)
        self.target_backward = copy.deepcopy(self.networks.backward_map).requires_grad_(False)
        rate = config.learning_rate
        self.optimizer = torch.optim.Adam(
            [
                {"params": list(self.networks.forward_map.parameters()), "lr": rate},
                {
                    "params": list(self.networks.backward_map.parameters()),
                    "lr": config.backward_learning_rate,
                },
            ],
            fused=True,
        )
        self.policy_optimizer = torch.optim.Adam(
            self.networks.policy.parameters(), lr=rate, fused=True
        )

    def load(self, path: Path) -> None:
        """Starts from the weights of a model of the same sizes."""
        weights = read_weights(path)
        for networks in (self.networks, self.averaged):
            load_weights(networks, weights, path)
        self.target_forward.load_state_dict(self.networks.forward_map.state_dict())
        self.target_backward.load_state_dict(self.networks.backward_map.state_dict())

    def anneal(self, progress: float) -> None:
        """Lowers the step sizes linearly, to nothing at a `progress` of 1."""
        config, left = self.config, max(0.0, 1.0 - progress)
        forward, backward = self.optimizer.param_groups
        (policy,) = self.policy_optimizer.param_groups
        forward["lr"] = policy["lr"] = left * config.learning_rate
        backward["lr"] = left * config.backward_learning_rate

    def _hidden_precision(self) -> torch.autocast:
        """bfloat16 for the hidden layers alone: losses need all of float32's digits."""
        return torch.autocast("cpu", torch.bfloat16, enabled=self.config.bfloat16)

    def act_noisily(
        self, observation: torch.Tensor, z: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """The policy's action with clipped noise (TD3's smoothing), `(n, act_dim)`."""
        with self._hidden_precision():
            action = self.networks.policy(observation, z)
        noise = torch.randn(action.shape, generator=generator) * self.config.noise
        bound = self.config.noise_clip
        return (action + noise.clamp(-bound, bound)).clamp(-1.0, 1.0)

    def update(
        self, batch: Batch, negatives: torch.Tensor, z: torch.Tensor, generator: torch.Generator
    ) -> dict[str, torch.Tensor]:
        """One step of `F`, `B` and the policy; returns what a learning curve wants to know.

        `negatives` are what `B` reads of the independent states, `(groups, negatives, n)`, and
        `z` is `(groups, d)`; rows of the batch belong to the groups in order.
        """
        config, networks = self.config, self.networks
        groups = config.groups
        rows = config.batch // groups
        z_rows = z.repeat_interleave(rows, dim=0)
        z_column = z.unsqueeze(-1)
        discount = (config.gamma * batch.discount).view(groups, rows)
        next_features = batch.next_features[:, networks.columns].view(groups, rows, -1)
        states = torch.cat([next_features, negatives], dim=1)

        with torch.no_grad():
            next_action = self.act_noisily(batch.next_observation, z_rows, generator)
            with self._hidden_precision():
                target_f = self.target_forward(
                    batch.next_observation,
                    next_action,
                    z_rows,
                    self.target_backward,
                    networks.observed,
                )
                target_b = self.target_backward(states, z.unsqueeze(1))
            target_f = target_f.unflatten(1, (groups, rows))
            target_measure = pessimistic(
                successor_measure(target_f, target_b[:, rows:]), config.pessimism
            )
            next_q = pessimistic((target_f @ z_column).squeeze(-1), config.pessimism)
            reward = (target_b[:, :rows] @ z_column).squeeze(-1)

        with self._hidden_precision():
            backward = networks.backward_map(states, z.unsqueeze(1))
        next_backward, independent = backward[:, :rows], backward[:, rows:]
        likeness = networks.backward_map.compare(next_backward.detach(), z.unsqueeze(1))
        with self._hidden_precision():
            # The next state is known here; the prediction stands in for it where it is not.
            forward = networks.forward_map.from_next(
                batch.next_observation, z_rows, likeness.flatten(0, 1)
            )
            dynamics = networks.forward_map.dynamics
            predicted = dynamics.scaled_change(batch.observation, batch.action)
        change = (batch.next_observation - batch.observation) / dynamics.change
        forward = forward.unflatten(1, (groups, rows))
        q = (forward @ z_column).squeeze(-1)
        losses = {
            "fb_loss": config.fb_loss
            * fb_loss(
                successor_measure(forward, independent),
                target_measure,
                (forward * next_backward).sum(-1),
                discount,
            ),
            "successor_loss": config.successor_loss
            * successor_loss(forward, target_f.mean(0), target_b[:, :rows], discount),
            "dynamics_loss": (predicted - change).square().mean(),
            "ortho_loss": config.ortho * ortho_loss(independent),
            "q_loss": config.q_loss / config.d * q_loss(q, next_q, reward, discount),
        }
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(losses.values())).sum().backward()
        self.optimizer.step()

        action = self.act_noisily(batch.observation, z_rows, generator)
        for fixed in (networks.forward_map, networks.backward_map):
            fixed.requires_grad_(False)
        with self._hidden_precision():
            members = networks.q_of(batch.observation, action, z_rows)
        for fixed in (networks.forward_map, networks.backward_map):
            fixed.requires_grad_(True)
        actor_q = pessimistic(members, config.actor_pessimism)
        actor_loss = policy_loss(actor_q, action, config.action_penalty)
        self.policy_optimizer.zero_grad(set_to_none=True)
        actor_loss.backward()
        self.policy_optimizer.step()

        _follow(self.averaged, networks, config.average_rate)
        _follow(self.target_forward, networks.forward_map, config.target_rate)
        _follow(self.target_backward, networks.backward_map, config.target_rate)
        return {name: loss.detach() for name, loss in losses.items()} | {
            "q": q.detach().mean(),
            "actor_q": actor_q.detach().mean(),
            "f_norm": forward.detach().norm(dim=-1).mean(),
        }


def _columns(layout: Sequence[Field], names: Sequence[str]) -> list[int]:
    """Where the fields of these names lie in a vector of that layout."""
    slices = layout_slices(layout)
    return [column for name in names for column in range(slices[name].start, slices[name].stop)]


@torch.no_grad()
def _follow(target: nn.Module, online: nn.Module, rate: float) -> None:
    torch._foreach_lerp_(list(target.parameters()), list(online.parameters()), rate)
