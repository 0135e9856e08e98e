"""All networks of an agent."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import nn

from fb_ros.robot.field import Field, layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.compute.device import CPU
from training.data.data import Transitions
from training.networks.backward_map import BackwardMap
from training.networks.forward_map import DirectForwardMap, DynamicsForwardMap
from training.networks.layers import Normalizer
from training.networks.observed_features import ObservedFeatures
from training.networks.policy_network import Policy


class Networks(nn.Module):
    """A trained model's networks, with the normalisers of their inputs."""

    def __init__(self, config: AgentConfig, spec: RobotSpec) -> None:
        super().__init__()
        config = config.of_robot(spec)
        columns = columns_of(spec.features, config.features)
        self.register_buffer("columns", torch.tensor(columns))
        self.columns: torch.Tensor
        by_dynamics = config.forward == "dynamics"
        if by_dynamics:
            self.observed = ObservedFeatures(spec, config.features)
        reads = torch.zeros(config.blocks, len(columns))
        for block, names in enumerate(config.block_features):
            for column in columns_of(spec.features, names):
                reads[block, columns.index(column)] = 1.0
        observation = Normalizer(torch.zeros(spec.obs_dim), torch.ones(spec.obs_dim))
        features = Normalizer(torch.zeros(len(columns)), torch.ones(len(columns)))
        self.backward_map = BackwardMap(
            features,
            reads=reads,
            sizes=config.sizes,
            hidden=config.backward_hidden,
            fourier=config.fourier,
            fourier_scale=config.fourier_scale,
        )
        sizes = {"obs_dim": spec.obs_dim, "act_dim": spec.act_dim, "d": config.d}
        parallel = {"hidden": config.hidden, "ensemble": config.ensemble}
        self.forward_map: DirectForwardMap | DynamicsForwardMap = (
            DynamicsForwardMap(observation, **sizes, blocks=config.blocks, **parallel)
            if by_dynamics
            else DirectForwardMap(observation, **sizes, **parallel)
        )
        self.policy = Policy(
            observation,
            **sizes,
            hidden=config.hidden,
            learns_scale=config.advantage_weighted,
            noise=config.noise,
        )

    @property
    def device(self) -> torch.device:
        """The device on which the networks compute."""
        return self.columns.device

    def on_cpu(self) -> Networks:
        """These networks if they are on the CPU, as environments are; otherwise a copy there."""
        return self if self.device == CPU else copy.deepcopy(self).to(CPU)

    def embed(
        self, observation: torch.Tensor, action: torch.Tensor, z: torch.Tensor
    ) -> torch.Tensor:
        """`F(s, a, z)` of each member of the ensemble, `(P, n, d)`."""
        if isinstance(self.forward_map, DirectForwardMap):
            embedding: torch.Tensor = self.forward_map(observation, action, z)
        else:
            embedding = self.forward_map(observation, action, z, self.backward_map, self.observed)
        return embedding

    def q_of(
        self,
        observation: torch.Tensor,
        action: torch.Tensor,
        z: torch.Tensor,
        reward: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """`Q = F(s, a, z)^T z` of each member of the ensemble, `(P, n)`.

        With the mean `E[r B]` of a reward, `(n, d)`, it is the value of that reward under the
        policy of `z`.
        """
        return (self.embed(observation, action, z) * (z if reward is None else reward)).sum(-1)

    def q_of_actions(
        self, observation: torch.Tensor, actions: torch.Tensor, z: torch.Tensor
    ) -> torch.Tensor:
        """`Q` of several actions in each state, `actions` `(m, n, act_dim)`: `(P, m, n)`."""
        if isinstance(self.forward_map, DirectForwardMap):
            embedding = self.forward_map.of_actions(observation, actions, z)
            return (embedding * z).sum(-1)
        count = len(actions)
        rows = actions.flatten(0, 1)
        q = self.q_of(observation.repeat(count, 1), rows, z.repeat(count, 1))
        return q.unflatten(1, (count, -1))

    def fit_normalizers(self, data: Transitions) -> None:
        """Sets the normalisers to the data's means and standard deviations."""
        columns = self.columns.numpy()
        observation, features = data.moments("observation"), data.moments("features")
        for normalizer, mean, std in (
            (self.policy.observation, observation.mean, observation.std),
            (self.backward_map.features, features.mean[columns], features.std[columns]),
        ):
            fitted = Normalizer(torch.from_numpy(mean).float(), torch.from_numpy(std).float())
            normalizer.load_state_dict(fitted.state_dict())
        if isinstance(self.forward_map, DynamicsForwardMap):
            change = torch.from_numpy(data.moments("change").std).float()
            self.forward_map.dynamics.change.copy_(change.clamp(min=1e-6))


def columns_of(layout: Sequence[Field], names: Sequence[str]) -> list[int]:
    """Columns of the fields of these names in a vector of that layout."""
    slices = layout_slices(layout)
    return [column for name in names for column in range(slices[name].start, slices[name].stop)]
