"""The computation of each ONNX graph of a model."""

from __future__ import annotations

import torch
from torch import nn

from fb_ros.backends.graphs import BEST_OF, IMAGINE, POLICY, TASK_ENCODER, VALUE
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.agents.losses import pessimistic
from training.networks.encoding import Encoding, encode
from training.networks.forward_map import DynamicsForwardMap


class PolicyGraph(nn.Module):
    """`observation (1, obs_dim)`, `z (1, d)` and `noise (n, act_dim)` to actions in `[-1, 1]`.

    `action (n, act_dim)` is `mean + scale * noise`, clipped; `mean` and `scale` are `(1,
    act_dim)`. A policy without a learned scale uses that of its exploration noise.
    """

    def __init__(self, networks: Networks, agent: AgentConfig) -> None:
        super().__init__()
        self.policy = networks.policy
        self.register_buffer("spread", torch.full((1, networks.policy.act_dim), agent.noise))
        self.spread: torch.Tensor

    def forward(
        self, observation: torch.Tensor, z: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean, scale = self.policy.mean_and_scale(observation, z)
        if not self.policy.learns_scale:
            # The sum avoids a constant: a runtime may refuse an output that no node computes.
            scale = self.spread + 0.0 * mean
        return (mean + scale * noise).clamp(-1.0, 1.0), mean, scale


class BestOfGraph(nn.Module):
    """Evaluation-based sampling: the action, among noisy ones, with the largest value by `F`.

    Takes the policy's inputs with `noise (m, act_dim)`, and gives `action (1, act_dim)` and `q
    (m,)`, which weighs the ensemble's spread as the actor's training did.
    """

    def __init__(self, networks: Networks, agent: AgentConfig) -> None:
        super().__init__()
        self.policy_graph = PolicyGraph(networks, agent)
        self.networks = networks
        self.pessimism = agent.actor_pessimism

    def forward(
        self, observation: torch.Tensor, z: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        actions = self.policy_graph(observation, z, noise)[0]
        count = noise.shape[0]
        members = self.networks.q_of(observation.expand(count, -1), actions, z.expand(count, -1))
        q = pessimistic(members, self.pessimism)
        # TensorRT finds the largest value of a row, but not of a vector.
        return actions.index_select(0, q.unsqueeze(0).argmax(1)), q


class TaskEncoderGraph(nn.Module):
    """`features (n, …)`, `weights` and `reward` `(n,)` and `asked (blocks,)` to `z` and `mean`."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.backward_map = networks.backward_map

    def forward(
        self,
        features: torch.Tensor,
        weights: torch.Tensor,
        reward: torch.Tensor,
        asked: torch.Tensor,
    ) -> Encoding:
        return encode(self.backward_map, features, weights, asked, reward)


class ValueGraph(nn.Module):
    """`observation`, `action`, `z` and `reward`, `(n, …)` each, to `q (P, n)`.

    `reward` is `z` for `Q`, or the mean `E[r B]` of a reward; a row of `q` is a member of `F`.
    """

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.networks = networks

    def forward(
        self,
        observation: torch.Tensor,
        action: torch.Tensor,
        z: torch.Tensor,
        reward: torch.Tensor,
    ) -> torch.Tensor:
        return self.networks.q_of(observation, action, z, reward)


class ImagineGraph(nn.Module):
    """`observation (n, obs_dim)` and `z (n, d)` to the policy's action and its effect.

    `action (n, act_dim)` is the policy's mean, and `next_observation (n, obs_dim)` is the
    prediction of `F`'s learned dynamics, one control period later.
    """

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        assert isinstance(networks.forward_map, DynamicsForwardMap)
        self.policy = networks.policy
        self.dynamics = networks.forward_map.dynamics

    def forward(
        self, observation: torch.Tensor, z: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        action = self.policy.mean_and_scale(observation, z)[0]
        return action, self.dynamics(observation, action)


def graph_modules(networks: Networks, agent: AgentConfig) -> dict[str, nn.Module]:
    """The module of each graph; a model without learned dynamics has no `imagine.onnx`."""
    modules: dict[str, nn.Module] = {
        POLICY: PolicyGraph(networks, agent),
        BEST_OF: BestOfGraph(networks, agent),
        TASK_ENCODER: TaskEncoderGraph(networks),
        VALUE: ValueGraph(networks),
    }
    if isinstance(networks.forward_map, DynamicsForwardMap):
        modules[IMAGINE] = ImagineGraph(networks)
    return modules
