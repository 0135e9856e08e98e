"""Policy improvement, given `F` and `B`: by the slope of `Q`, or by the data's own actions."""

from __future__ import annotations

from typing import Protocol

import torch

from training.agents.advantage import importance_weights, log_weights
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.agents.losses import advantage_loss, effort, pessimistic, policy_loss
from training.agents.rest import at_rest, motion
from training.compute import distributed
from training.compute.arithmetic import HiddenPrecision
from training.compute.device import moved
from training.compute.parts import part
from training.data.data import Batch
from training.networks import truncated_normal


class Improvement(Protocol):
    """The interface that the agent uses for either kind."""

    def act(
        self, observation: torch.Tensor, z: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """An action of the policy as training uses it, `(n, act_dim)`."""

    def loss(
        self,
        batch: Batch,
        z_rows: torch.Tensor,
        fulfilled: torch.Tensor,
        generator: torch.Generator,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The policy's loss, and the `Q` `(n,)` that it uses; `fulfilled` `(n, parts)` is how
        far each part of each row's task is fulfilled."""


class Td3Improvement:
    """TD3's: the policy climbs `Q` under clipped noise, with a price on effort and motion."""

    def __init__(
        self,
        config: AgentConfig,
        networks: Networks,
        precision: HiddenPrecision,
        moved_parts: torch.Tensor | None,
    ) -> None:
        """`moved_parts` are those of `training.agents.rest`, for `rest_penalty`."""
        self._config, self._networks, self._hidden_precision = config, networks, precision
        self._moved_parts = moved_parts

    @torch.no_grad()
    def act(
        self, observation: torch.Tensor, z: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """The mean action with clipped noise, `(n, act_dim)`."""
        with self._hidden_precision():
            mean = self._networks.policy(observation, z)
        return self._with_noise(mean, generator)

    def _with_noise(self, action: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        noise = moved(torch.randn(action.shape, generator=generator), action.device)
        bound = self._config.noise_clip
        return (action + (self._config.noise * noise).clamp(-bound, bound)).clamp(-1.0, 1.0)

    def loss(
        self,
        batch: Batch,
        z_rows: torch.Tensor,
        fulfilled: torch.Tensor,
        generator: torch.Generator,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Improvement.loss`."""
        config, networks = self._config, self._networks
        with part("actor"):
            with self._hidden_precision():
                mean = networks.policy(batch.observation, z_rows)
            action = self._with_noise(mean, generator)
            with self._hidden_precision():
                # A single action takes the path of several actions, which keeps the computation
                # that the policy's gradient needs apart from the rest.
                members = networks.q_of_actions(batch.observation, action.unsqueeze(0), z_rows)
            q = pessimistic(members.squeeze(1), config.actor_pessimism)
            unit = distributed.mean(q.detach().abs().mean())
            price = config.action_penalty * effort(action)
            if self._moved_parts is not None:
                # The price is on the mean action: under noise, a price on magnitude is a square
                # near zero.
                rest = at_rest(fulfilled, self._moved_parts)
                price = price + config.rest_penalty * motion(mean, rest)
            return policy_loss(q, price, unit), q


class AdvantageImprovement:
    """Advantage weighting: the policy imitates the better of the data's own actions."""

    def __init__(
        self, config: AgentConfig, networks: Networks, precision: HiddenPrecision
    ) -> None:
        self._config, self._networks, self._hidden_precision = config, networks, precision

    @torch.no_grad()
    def act(
        self, observation: torch.Tensor, z: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """A sample of the policy with its learned spread, `(n, act_dim)`."""
        with self._hidden_precision():
            return self._networks.policy.sample(observation, z, generator, 1)[0]

    def loss(
        self,
        batch: Batch,
        z_rows: torch.Tensor,
        fulfilled: torch.Tensor,
        generator: torch.Generator,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """See `Improvement.loss`; the weights are computed over the batch of all processes."""
        policy = self._networks.policy
        with part("actor"), self._hidden_precision():
            mean, scale = policy.mean_and_scale(batch.observation, z_rows)
        with part("advantage"):
            actions = policy.draw(
                mean.detach(), scale.detach(), generator, self._config.value_samples
            )
            advantage, q = self._advantage(batch, actions, z_rows)
            weights = self._weights(distributed.gather(advantage))
        with part("actor"):
            own = weights.view(distributed.count(), -1)[distributed.rank()]
            log_prob = truncated_normal.log_prob(batch.action, mean, scale)
            # The weights sum to one over all processes, whose gradients are averaged.
            return distributed.count() * advantage_loss(log_prob, own), q

    @torch.no_grad()
    def _advantage(
        self, batch: Batch, policy: torch.Tensor, z_rows: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`A = Q(s, a, z) - E[Q(s, a', z)]` and `Q(s, a, z)`, `(n,)`; `a'` are the policy's."""
        actions = torch.cat([batch.action.unsqueeze(0), policy])
        with self._hidden_precision():
            members = self._networks.q_of_actions(batch.observation, actions, z_rows)
        q = pessimistic(members, self._config.actor_pessimism)
        return q[0] - q[1:].mean(0), q[0]

    def _weights(self, advantage: torch.Tensor) -> torch.Tensor:
        config = self._config
        by_spread = config.temperature_unit == "spread"
        unit = advantage.std() if by_spread else advantage.new_ones(())
        log_w = log_weights(advantage, config.temperature, unit)
        return importance_weights(log_w, config.weighting)


def improvement(
    config: AgentConfig,
    networks: Networks,
    precision: HiddenPrecision,
    moved_parts: torch.Tensor | None,
) -> Improvement:
    """The improvement that belongs to the algorithm; `moved_parts` is needed for
    `rest_penalty`."""
    if config.advantage_weighted:
        return AdvantageImprovement(config, networks, precision)
    return Td3Improvement(config, networks, precision, moved_parts)
