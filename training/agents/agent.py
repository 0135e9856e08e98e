"""The forward-backward agent: optimisers and one update, for the whole family."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import NamedTuple

import torch

from fb_ros.robot.robot_spec import RobotSpec
from training.agents.advantage import importance_weights, log_weights
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.agents.losses import (
    advantage_loss,
    effort,
    fb_loss,
    motion,
    ortho_loss,
    pessimistic,
    policy_loss,
    q_loss,
    successor_loss,
    successor_measure,
    target_measure,
)
from training.compute import distributed
from training.compute.arithmetic import bfloat16_pays
from training.compute.device import CPU, moved
from training.compute.flat_parameters import FlatParameters
from training.data.data import Batch, Transitions
from training.networks import truncated_normal
from training.networks.forward_map import DynamicsForwardMap
from training.networks.weights import load_weights

Figures = dict[str, torch.Tensor]


class _Targets(NamedTuple):
    """What the target networks say of the next states; groups first, constants."""

    forward: torch.Tensor
    """`F(s', a', z)`, `(P, groups, rows, d)`."""
    backward: torch.Tensor
    """`B(s', z)`, `(groups, rows, d)`."""
    independent: torch.Tensor
    """`B(s'', z)`, `(groups, columns, d)`."""


class Agent:
    """Trains `Networks` on batches of transitions."""

    def __init__(
        self,
        config: AgentConfig,
        spec: RobotSpec,
        data: Transitions,
        device: torch.device = CPU,
    ) -> None:
        """Starts from weights that the seed alone decides, and not the `device`."""
        self.config = config = config.of_robot(spec)
        self.networks = Networks(config, spec)
        self.networks.fit_normalizers(data)
        self.networks.to(device)
        self.averaged = self.networks
        """What is evaluated and exported; the networks themselves where `average_rate` is 1."""
        if config.average_rate < 1.0:
            self.averaged = copy.deepcopy(self.networks).requires_grad_(False)
        self.target = copy.deepcopy(self.networks).requires_grad_(False)
        self._low_precision = config.bfloat16 and bfloat16_pays(device)
        self.flatten()
        # B(s) of plain FB is the same for every z: all transitions are one group of pairs.
        self._one_group = not (config.auto_regressive or config.negatives)

    def flatten(self) -> None:
        """Makes the networks' parameters one vector each, with optimisers that start anew.

        To be called again where the networks were moved or cast.
        """
        config = self.config
        # What the losses of F and B move comes first, since that is what the targets follow.
        self.online = FlatParameters(
            (self.networks.forward_map, self.networks.backward_map, self.networks.policy)
        )
        self._followers = [
            (
                FlatParameters((self.target.forward_map, self.target.backward_map)),
                config.target_rate,
            )
        ]
        if self.averaged is not self.networks:
            averaged = self.averaged
            parts = (averaged.forward_map, averaged.backward_map, averaged.policy)
            self._followers.append((FlatParameters(parts), config.average_rate))
        forward, backward, policy = self.online.parts
        rate = config.learning_rate
        self.optimizer = torch.optim.Adam(
            [
                {"params": [forward], "lr": rate},
                {"params": [backward], "lr": config.backward_learning_rate},
            ],
            fused=True,
        )
        self.policy_optimizer = torch.optim.Adam([policy], lr=rate, fused=True)

    def load(self, weights: dict[str, torch.Tensor], source: Path) -> None:
        """Starts from the weights of a model of the same sizes; `source` is for messages."""
        for networks in (self.networks, self.averaged, self.target):
            load_weights(networks, weights, source)

    def anneal(self, progress: float) -> None:
        """Lowers the step sizes linearly, to nothing at a `progress` of 1."""
        config = self.config
        left = max(0.0, 1.0 - progress) if config.anneal else 1.0
        forward, backward = self.optimizer.param_groups
        (policy,) = self.policy_optimizer.param_groups
        forward["lr"] = policy["lr"] = left * config.learning_rate
        backward["lr"] = left * config.backward_learning_rate

    def _hidden_precision(self) -> torch.autocast:
        """bfloat16 for the hidden layers alone: losses need all of float32's digits."""
        device = self.networks.device.type
        return torch.autocast(device, torch.bfloat16, enabled=self._low_precision)

    def act_noisily(
        self, observation: torch.Tensor, z: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """An action of the policy as training sees it, `(n, act_dim)`.

        Its mean with clipped noise (TD3's smoothing), or a sample where it learns its spread.
        """
        policy = self.networks.policy
        with self._hidden_precision():
            if self.config.advantage_weighted:
                return policy.sample(observation, z, generator, 1)[0]
            action = policy(observation, z)
        return self._with_noise(action, generator)

    def _with_noise(self, action: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        noise = moved(torch.randn(action.shape, generator=generator), action.device)
        bound = self.config.noise_clip
        return (action + (self.config.noise * noise).clamp(-bound, bound)).clamp(-1.0, 1.0)

    def update(
        self, batch: Batch, negatives: torch.Tensor, z: torch.Tensor, generator: torch.Generator
    ) -> Figures:
        """One step of `F`, `B` and the policy; returns what a learning curve wants to know.

        `negatives` are what `B` reads of the independent states, `(groups, negatives, n)`, and
        `z` is `(groups, d)`; rows of the batch belong to the groups in order. With several
        processes, all of these are this process's share.
        """
        config = self.config
        z_rows = z.repeat_interleave(len(batch.action) // len(z), dim=0)
        losses, q, norm, reward = self._measure_losses(batch, negatives, z, z_rows, generator)
        forward, backward, policy = self.online.parts
        self.online.differentiate(torch.stack(list(losses.values())).sum(), 0, 1)
        distributed.average_gradients((forward, backward))
        self.optimizer.step()

        if config.advantage_weighted:
            advantage, actor_q = self._advantage(batch, z_rows, generator)
            actor_loss = self._advantage_loss(batch, z_rows, advantage)
        else:
            fulfilled = reward / z_rows.square().sum(-1)
            actor_loss, actor_q = self._policy_loss(batch, z_rows, fulfilled, generator)
        self.online.differentiate(actor_loss, 2)
        distributed.average_gradients((policy,))
        self.policy_optimizer.step()

        for follower, rate in self._followers:
            follower.follow(self.online, rate)
        return {name: loss.detach() for name, loss in losses.items()} | {
            "actor_loss": actor_loss.detach(),
            "q": q.mean(),
            "q_size": q.abs().mean(),
            "actor_q": actor_q.detach().mean(),
            "f_norm": norm,
        }

    def _measure_losses(
        self,
        batch: Batch,
        negatives: torch.Tensor,
        z: torch.Tensor,
        z_rows: torch.Tensor,
        generator: torch.Generator,
    ) -> tuple[Figures, torch.Tensor, torch.Tensor, torch.Tensor]:
        """The losses of `F` and `B`, and constants: `Q` `(P, n)`, the mean norm of `F`, and the
        reward `B(s', z)^T z` that each row's `z` stands for, `(n,)`."""
        config, networks = self.config, self.networks
        groups = 1 if self._one_group else len(z)
        z_groups = z[:1] if self._one_group else z
        rows = len(batch.action) // groups
        discount = (config.gamma * batch.discount).view(groups, rows)
        next_features = batch.next_features[:, networks.columns].view(groups, rows, -1)
        states = next_features
        if config.negatives:
            states = torch.cat([states, negatives], dim=1)
        z_pairs = z_rows.view(groups, rows, -1)
        targets = self._targets(batch, states, z_groups, z_rows, generator)
        next_measure = target_measure(targets.forward, targets.independent, config.pessimism)

        with self._hidden_precision():
            backward = networks.backward_map(states, z_groups.unsqueeze(1))
        next_backward, independent, own = self._pairs(backward, rows)
        forward, dynamics_losses = self._forward(batch, z_rows, next_backward, z_groups)
        forward = forward.unflatten(1, (groups, rows))
        losses = {
            "fb_loss": config.fb_loss
            * fb_loss(
                successor_measure(forward, independent),
                next_measure,
                (forward * next_backward).sum(-1),
                discount,
                own,
            ),
            "ortho_loss": config.ortho * self._ortho_loss(next_backward, independent, own),
            **dynamics_losses,
        }
        if config.successor_loss:
            losses["successor_loss"] = config.successor_loss * successor_loss(
                forward, targets.forward.mean(0), targets.backward, discount
            )
        q = (forward * z_pairs).sum(-1)
        reward = (targets.backward * z_pairs).sum(-1)
        if config.q_loss:
            next_q = pessimistic((targets.forward * z_pairs).sum(-1), config.pessimism)
            scale = config.q_loss / config.d
            losses["q_loss"] = scale * q_loss(q, next_q, reward, discount)
        norm = forward.detach().norm(dim=-1).mean()
        return losses, q.detach().flatten(1), norm, reward.flatten()

    @torch.no_grad()
    def _targets(
        self,
        batch: Batch,
        states: torch.Tensor,
        z_groups: torch.Tensor,
        z_rows: torch.Tensor,
        generator: torch.Generator,
    ) -> _Targets:
        action = self.act_noisily(batch.next_observation, z_rows, generator)
        rows = len(z_rows) // len(z_groups)
        with self._hidden_precision():
            forward = self.target.embed(batch.next_observation, action, z_rows)
            backward = self.target.backward_map(states, z_groups.unsqueeze(1))
        forward = forward.unflatten(1, (len(z_groups), rows))
        next_backward, independent, _ = self._pairs(backward, rows)
        return _Targets(forward, next_backward, independent)

    def _pairs(
        self, backward: torch.Tensor, rows: int
    ) -> tuple[torch.Tensor, torch.Tensor, int | None]:
        """`B` of the next states, `B` of the independent ones, and where the former are in these.

        Where there is one group, it is that of all processes together.
        """
        next_backward = backward[:, :rows]
        if self.config.negatives:
            return next_backward, backward[:, rows:], None
        if not self._one_group:
            return next_backward, next_backward, 0
        gathered = distributed.gather_with_gradient(next_backward, dim=1)
        return next_backward, gathered, distributed.rank() * rows

    @staticmethod
    def _ortho_loss(
        next_backward: torch.Tensor, independent: torch.Tensor, own: int | None
    ) -> torch.Tensor:
        if own is None:
            return ortho_loss(independent)
        return ortho_loss(next_backward, independent, own)

    def _forward(
        self,
        batch: Batch,
        z_rows: torch.Tensor,
        next_backward: torch.Tensor,
        z_groups: torch.Tensor,
    ) -> tuple[torch.Tensor, Figures]:
        """`F` of the data's state and action, `(P, n, d)`, and the losses of what it goes by."""
        networks = self.networks
        forward_map = networks.forward_map
        if not isinstance(forward_map, DynamicsForwardMap):
            with self._hidden_precision():
                return networks.embed(batch.observation, batch.action, z_rows), {}
        rows = z_rows.view(*next_backward.shape)
        likeness = networks.backward_map.compare(next_backward.detach(), rows)
        with self._hidden_precision():
            # The next state is known here; the prediction stands in for it where it is not.
            forward = forward_map.from_next(batch.next_observation, z_rows, likeness.flatten(0, 1))
            predicted = forward_map.dynamics.scaled_change(batch.observation, batch.action)
        change = (batch.next_observation - batch.observation) / forward_map.dynamics.change
        return forward, {"dynamics_loss": (predicted - change).square().mean()}

    def _policy_loss(
        self,
        batch: Batch,
        z_rows: torch.Tensor,
        fulfilled: torch.Tensor,
        generator: torch.Generator,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """TD3's improvement, and the `Q` `(n,)` that it raises; `fulfilled` `(n,)` is how much of
        its task each row has."""
        config, networks = self.config, self.networks
        with self._hidden_precision():
            mean = networks.policy(batch.observation, z_rows)
        action = self._with_noise(mean, generator)
        for fixed in (networks.forward_map, networks.backward_map):
            fixed.requires_grad_(False)
        with self._hidden_precision():
            members = networks.q_of(batch.observation, action, z_rows)
        for fixed in (networks.forward_map, networks.backward_map):
            fixed.requires_grad_(True)
        q = pessimistic(members, config.actor_pessimism)
        unit = distributed.mean(q.detach().abs().mean())
        price = config.action_penalty * effort(action)
        if config.rest_penalty:
            # Of the mean action: under noise, a price on its magnitude is a square near zero.
            price = price + config.rest_penalty * fulfilled.clamp(0.0, 1.0) * motion(mean)
        return policy_loss(q, price, unit), q

    @torch.no_grad()
    def _advantage(
        self, batch: Batch, z_rows: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """`A = Q(s, a, z) - E[Q(s, a', z)]` and `Q(s, a, z)`, `(n,)`; `a'` are the policy's."""
        networks, samples = self.networks, self.config.value_samples
        with self._hidden_precision():
            policy = networks.policy.sample(batch.observation, z_rows, generator, samples)
            actions = torch.cat([batch.action.unsqueeze(0), policy])
            members = networks.q_of_actions(batch.observation, actions, z_rows)
        q = pessimistic(members, self.config.actor_pessimism)
        return q[0] - q[1:].mean(0), q[0]

    def _advantage_loss(
        self, batch: Batch, z_rows: torch.Tensor, advantage: torch.Tensor
    ) -> torch.Tensor:
        """Advantage weighting over the batch of all processes; `advantage` `(n,)`."""
        config = self.config
        advantage = distributed.gather(advantage)
        by_spread = config.temperature_unit == "spread"
        unit = advantage.std() if by_spread else advantage.new_ones(())
        log_w = log_weights(advantage, config.temperature, unit)
        weights = importance_weights(log_w, config.weighting)
        own = weights.view(distributed.count(), -1)[distributed.rank()]
        with self._hidden_precision():
            mean, scale = self.networks.policy.mean_and_scale(batch.observation, z_rows)
        log_prob = truncated_normal.log_prob(batch.action, mean, scale)
        # The weights sum to one over all processes, whose gradients are averaged.
        return distributed.count() * advantage_loss(log_prob, own)
