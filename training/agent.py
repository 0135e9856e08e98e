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
from training.data import Batch, EvenStates, Transitions
from training.encoding import encode, sample_sphere
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

# States from which the encoding of a region is estimated.
_REGION_STATES = 64


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
        self, observation: torch.Tensor, action: torch.Tensor, z: torch.Tensor
    ) -> torch.Tensor:
        """`Q = F^T z` of each member of the ensemble, `(P, n)`."""
        embedding = self.forward_map(observation, action, z, self.backward_map, self.observed)
        return (embedding * z).sum(-1)

    def fit_normalizers(self, data: Transitions) -> None:
        """Takes the means and standard deviations from the data."""
        for normalizer, values in (
            (self.policy.observation, data.observation),
            (self.backward_map.features, data.features[:, self.columns]),
        ):
            fitted = Normalizer(values.mean(0), values.std(0))
            normalizer.load_state_dict(fitted.state_dict())
        rows = data.starts
        change = (data.observation[rows + 1] - data.observation[rows]).std(0)
        self.forward_map.dynamics.change.copy_(change.clamp(min=1e-6))


class Agent:
    """Trains `Networks` on batches of transitions."""

    def __init__(self, config: AgentConfig, spec: RobotSpec, data: Transitions) -> None:
        self.config = config
        self._even: EvenStates | None = None
        if config.box_share:
            self._even = EvenStates(
                data,
                layout_slices(spec.features)[spec.goal_feature],
                torch.tensor(spec.goal_low) - config.box_margin,
                torch.tensor(spec.goal_high) + config.box_margin,
                spec.goal_radius,
            )
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

    def sample_z(self, data: Transitions, generator: torch.Generator) -> torch.Tensor:
        """Encodings for one update, `(groups, d)`: of states, of regions, and uniform ones."""
        config = self.config
        goals = round(config.goal_share * config.groups)
        regions = min(round(config.region_share * config.groups), config.groups - goals)
        z = sample_sphere(config.groups, config.d, config.blocks, generator)
        asked = self._sample_asked(generator)
        encoded = [
            self._encode_goals(data, asked[:goals], generator),
            self._encode_regions(data, asked[goals : goals + regions], generator),
        ]
        open_z = z * asked.repeat_interleave(config.d // config.blocks, dim=1)
        return torch.cat([*encoded, open_z[goals + regions :]])

    @torch.no_grad()
    def _encode_goals(
        self, data: Transitions, asked: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Encodings of single states, one for each row of `asked` `(n, blocks)`."""
        states = self._sample_states(data, (len(asked), 1), generator)
        return encode(self.networks.backward_map, states, torch.ones(states.shape[:2]), asked)

    @torch.no_grad()
    def _encode_regions(
        self, data: Transitions, asked: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Encodings of being on one side of a plane, `tcp_pos[2] > 0.3`, one for each row.

        The plane goes through a state of the data, and every other one is square to an axis: it
        is what a person writes.
        """
        networks = self.networks
        states = self._sample_states(data, (len(asked), _REGION_STATES), generator)
        reads = networks.backward_map.views[networks.backward_map.block_view]
        normal = torch.randn(len(asked), states.shape[-1], generator=generator)
        normal = normal * ((asked @ reads) > 0)
        largest = normal.abs() == normal.abs().max(-1, keepdim=True).values
        normal[::2] = torch.where(largest[::2], normal[::2], 0.0)
        scaled = networks.backward_map.features(states)
        side = ((scaled - scaled[:, :1]) @ normal.unsqueeze(-1)).squeeze(-1) >= 0.0
        return encode(networks.backward_map, states, side.float(), asked)

    def _sample_asked(self, generator: torch.Generator) -> torch.Tensor:
        """Which blocks each of an update's tasks is about, `(groups, blocks)`; never none."""
        config = self.config
        if not config.open_shares:
            return torch.ones(config.groups, config.blocks)
        shares = torch.tensor(config.open_shares)
        asked = (torch.rand(config.groups, len(shares), generator=generator) >= shares).float()
        asked[:, 0] = torch.where(asked.any(-1), asked[:, 0], 1.0)
        return asked.repeat_interleave(torch.tensor(config.feature_blocks), dim=1)

    def _sample_states(
        self, data: Transitions, shape: tuple[int, int], generator: torch.Generator
    ) -> torch.Tensor:
        """What `B` reads of independent states, `(*shape, n)`: in each row, `box_share` of them
        are drawn evenly over the goal box and the rest as they are in the data."""
        states = data.sample_features(shape[0] * shape[1], generator).unflatten(0, shape)
        # Spread over rows and columns alike, since some callers read the first column alone.
        if self._even:
            even = torch.rand(shape, generator=generator) < self.config.box_share
            states[even] = self._even.sample(int(even.sum()), generator)
        return states[..., self.networks.columns]

    def act_noisily(
        self, observation: torch.Tensor, z: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """The policy's action with clipped noise (TD3's smoothing), `(n, act_dim)`."""
        with self._hidden_precision():
            action = self.networks.policy(observation, z)
        noise = torch.randn(action.shape, generator=generator) * self.config.noise
        bound = self.config.noise_clip
        return (action + noise.clamp(-bound, bound)).clamp(-1.0, 1.0)

    def sample(
        self, data: Transitions, generator: torch.Generator
    ) -> tuple[Batch, torch.Tensor, torch.Tensor]:
        """A batch, the negatives of its groups and their encodings, as `update` takes them.

        The negatives `(groups, negatives, features of B)` stand for the measure `rho`, to which
        `F^T B` is a density; any measure will do that leaves out nothing the robot gets to.
        """
        config = self.config
        batch = data.sample(config.batch, generator)
        negatives = self._sample_states(data, (config.groups, config.negatives), generator)
        return batch, negatives, self.sample_z(data, generator)

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
