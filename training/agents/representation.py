"""The losses of `F` and `B` on one batch: the forward-backward representation."""

from __future__ import annotations

from typing import NamedTuple

import torch

from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.agents.improvement import Improvement
from training.agents.losses import (
    fb_loss,
    ortho_loss,
    pessimistic,
    q_loss,
    successor_loss,
    successor_measure,
    target_measure,
)
from training.agents.rest import fulfilled_parts
from training.compute import distributed
from training.compute.arithmetic import HiddenPrecision
from training.compute.parts import part
from training.data.data import Batch
from training.networks.forward_map import DynamicsForwardMap

Figures = dict[str, torch.Tensor]


class Measured(NamedTuple):
    """The losses of `F` and `B`, and constants computed along with them."""

    losses: Figures
    q: torch.Tensor
    """`Q` of the data's actions, `(P, n)`."""
    norm: torch.Tensor
    """The mean norm of `F`."""
    fulfilled: torch.Tensor
    """How far each row's next state is what its `z` asks for, part by part, `(n, parts)`."""


class _Targets(NamedTuple):
    """Embeddings of the next states by the target networks; groups come first; constants."""

    forward: torch.Tensor
    """`F(s', a', z)`, `(P, groups, rows, d)`."""
    backward: torch.Tensor
    """`B(s', z)`, `(groups, rows, d)`."""
    independent: torch.Tensor
    """`B(s'', z)`, `(groups, columns, d)`."""


class Representation:
    """Computes the losses of `F` and `B` of networks and their target networks."""

    def __init__(
        self,
        config: AgentConfig,
        networks: Networks,
        target: Networks,
        improvement: Improvement,
        precision: HiddenPrecision,
    ) -> None:
        self.config, self.networks, self.target = config, networks, target
        self._improvement, self._hidden_precision = improvement, precision
        # B(s) of plain FB is the same for every z, so all transitions form one group of pairs.
        self._one_group = not (config.auto_regressive or config.negatives)

    def measure(
        self,
        batch: Batch,
        negatives: torch.Tensor,
        z: torch.Tensor,
        z_rows: torch.Tensor,
        generator: torch.Generator,
    ) -> Measured:
        """Takes the arguments of `Agent.update`, and `z_rows` `(n, d)`, the `z` of each row."""
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
        with part("targets"):
            targets = self._targets(batch, states, z_groups, z_rows, generator)
            next_measure = target_measure(targets.forward, targets.independent, config.pessimism)

        with part("B"), self._hidden_precision():
            backward = networks.backward_map(states, z_groups.unsqueeze(1))
        next_backward, independent, own = self._pairs(backward, rows)
        with part("F"):
            forward, dynamics_losses = self._forward(batch, z_rows, next_backward)
            forward = forward.unflatten(1, (groups, rows))
        with part("pairs"):
            error = fb_loss(
                successor_measure(forward, independent),
                next_measure,
                (forward * next_backward).sum(-1),
                discount,
                own,
            )
        with part("orthonormality"):
            ortho = self._ortho_loss(next_backward, independent, own)
        losses = {
            "fb_loss": config.fb_loss * error,
            "ortho_loss": config.ortho * ortho,
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
        fulfilled = fulfilled_parts(targets.backward, z_pairs, config.part_sizes)
        return Measured(losses, q.detach().flatten(1), norm, fulfilled.flatten(0, 1))

    @torch.no_grad()
    def fulfilled(self, batch: Batch, z_rows: torch.Tensor) -> torch.Tensor:
        """How far each row's next state is what its task `z_rows` `(n, d)` asks for, part by part,
        `(n, parts)`."""
        with self._hidden_precision():
            states = batch.next_features[:, self.networks.columns]
            backward = self.target.backward_map(states, z_rows)
        return fulfilled_parts(backward, z_rows, self.config.part_sizes)

    @torch.no_grad()
    def _targets(
        self,
        batch: Batch,
        states: torch.Tensor,
        z_groups: torch.Tensor,
        z_rows: torch.Tensor,
        generator: torch.Generator,
    ) -> _Targets:
        action = self._improvement.act(batch.next_observation, z_rows, generator)
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
        """`B` of the next states, `B` of the independent ones, and the position of the former in
        these.

        If there is one group, it spans all processes.
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
    ) -> tuple[torch.Tensor, Figures]:
        """`F` of state and action, `(P, n, d)`, and the loss of learned dynamics, if any."""
        networks = self.networks
        forward_map = networks.forward_map
        if not isinstance(forward_map, DynamicsForwardMap):
            with self._hidden_precision():
                return networks.embed(batch.observation, batch.action, z_rows), {}
        rows = z_rows.view(*next_backward.shape)
        likeness = networks.backward_map.compare(next_backward.detach(), rows)
        with self._hidden_precision():
            # Training knows the next state; a prediction replaces it where it is unknown.
            forward = forward_map.from_next(batch.next_observation, z_rows, likeness.flatten(0, 1))
            predicted = forward_map.dynamics.scaled_change(batch.observation, batch.action)
        change = (batch.next_observation - batch.observation) / forward_map.dynamics.change
        return forward, {"dynamics_loss": (predicted - change).square().mean()}
