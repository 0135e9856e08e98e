"""The forward-backward agent: optimisers and one update, for the whole family."""

from __future__ import annotations

import copy
from pathlib import Path

import torch

from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.agents.improvement import improvement
from training.agents.representation import Figures, Representation
from training.agents.rest import moved_parts
from training.compute import distributed
from training.compute.arithmetic import HiddenPrecision
from training.compute.device import CPU
from training.compute.flat_parameters import FlatParameters
from training.compute.parts import part
from training.data.data import Batch, Transitions
from training.networks.weights import load_weights


class Agent:
    """Trains `Networks` on batches of transitions."""

    def __init__(
        self,
        config: AgentConfig,
        spec: RobotSpec,
        data: Transitions,
        device: torch.device = CPU,
    ) -> None:
        """Starts from weights that depend only on the seed, not on the `device`."""
        self.config = config = config.of_robot(spec)
        self.networks = Networks(config, spec)
        self.networks.fit_normalizers(data)
        self.networks.to(device)
        self.averaged = self.networks
        """The networks that are evaluated and exported."""
        if config.average_rate < 1.0:
            self.averaged = copy.deepcopy(self.networks).requires_grad_(False)
        self.target = copy.deepcopy(self.networks).requires_grad_(False)
        precision = HiddenPrecision(config.bfloat16, device)
        moved = None
        if config.rest_penalty:
            moved = moved_parts(config, spec, data).to(device)
        self.improvement = improvement(config, self.networks, precision, moved)
        self._representation = Representation(
            config, self.networks, self.target, self.improvement, precision
        )
        self.flatten()

    def flatten(self) -> None:
        """Stores each network's parameters as one vector, with fresh optimisers.

        Call it again after networks were moved or cast.
        """
        config = self.config
        # Parameters that the losses of F and B move come first, since the targets follow those.
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
        """Loads the weights of a model of the same sizes; `source` is for messages."""
        for networks in (self.networks, self.averaged, self.target):
            load_weights(networks, weights, source)

    def begin(self, progress: float) -> bool:
        """Sets the step sizes for a `progress` of 0 to 1, and returns whether the policy alone
        learns from here on (`policy_share`).

        With `anneal`, step sizes fall linearly to zero, those of the policy twice: while `F` and
        `B` learn, and after that.
        """
        config = self.config
        joint = 1.0 - config.policy_share
        alone = progress >= joint
        spent = (progress - joint) / config.policy_share if alone else progress / joint
        left = max(0.0, 1.0 - spent) if config.anneal else 1.0
        forward, backward = self.optimizer.param_groups
        (policy,) = self.policy_optimizer.param_groups
        forward["lr"] = policy["lr"] = left * config.learning_rate
        backward["lr"] = left * config.backward_learning_rate
        return alone

    def update(
        self, batch: Batch, negatives: torch.Tensor, z: torch.Tensor, generator: torch.Generator
    ) -> Figures:
        """Makes one step of `F`, `B` and the policy; returns figures for a learning curve.

        `negatives` are `B`'s inputs of the independent states, `(groups, negatives, n)`, and `z`
        is `(groups, d)`; rows of the batch belong to the groups in order. With several processes,
        all of these are this process's share.
        """
        z_rows = z.repeat_interleave(len(batch.action) // len(z), dim=0)
        measured = self._representation.measure(batch, negatives, z, z_rows, generator)
        forward, backward, _ = self.online.parts
        self.online.differentiate(torch.stack(list(measured.losses.values())).sum(), 0, 1)
        distributed.average_gradients((forward, backward))
        with part("optimiser"):
            self.optimizer.step()

        figures = self._improve(batch, z_rows, measured.fulfilled, generator)
        return {name: loss.detach() for name, loss in measured.losses.items()} | {
            "q": measured.q.mean(),
            "q_size": measured.q.abs().mean(),
            "f_norm": measured.norm,
            **figures,
        }

    def update_policy(
        self, batch: Batch, z_rows: torch.Tensor, generator: torch.Generator
    ) -> Figures:
        """Makes one step of the policy alone; `z_rows` `(n, d)` are the tasks of the batch's
        rows."""
        # Only the price on motion reads it, and `B` of every row is a large part of this step.
        fulfilled = z_rows.new_empty(len(z_rows), 0)
        if self.config.rest_penalty:
            fulfilled = self._representation.fulfilled(batch, z_rows)
        return self._improve(batch, z_rows, fulfilled, generator)

    def _improve(
        self,
        batch: Batch,
        z_rows: torch.Tensor,
        fulfilled: torch.Tensor,
        generator: torch.Generator,
    ) -> Figures:
        """The policy's step, after which all averages follow."""
        loss, q = self.improvement.loss(batch, z_rows, fulfilled, generator)
        self.online.differentiate(loss, 2)
        distributed.average_gradients((self.online.parts[2],))
        with part("optimiser"):
            self.policy_optimizer.step()
        with part("averaging"):
            for follower, rate in self._followers:
                follower.follow(self.online, rate)
        return {"actor_loss": loss.detach(), "actor_q": q.detach().mean()}
