"""Inputs of an update: transitions, independent states, and tasks to train on."""

from __future__ import annotations

import torch

from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.agents.drawn_rewards import DrawnRewards
from training.agents.windows import Windows
from training.compute import distributed
from training.compute.device import moved
from training.compute.parts import part
from training.data.data import Batch, EvenStates, Transitions
from training.networks.encoding import encode, sample_sphere

# Number of states from which the encoding of a region is estimated.
_REGION_STATES = 64


class Sampler:
    """Draws the arguments of `Agent.update` from `data`, with tasks encoded by the present `B`.

    Results are on the networks' device. With several processes, each draws its share.
    """

    def __init__(
        self, config: AgentConfig, spec: RobotSpec, data: Transitions, networks: Networks
    ) -> None:
        self._config, self._data, self._networks = config.of_robot(spec), data, networks
        self._even = even_states(config, spec, data)
        self._windows = Windows(config, spec, data) if config.future_share else None
        self._rewards = None
        if config.reward_share:
            self._rewards = DrawnRewards(self._config, spec, data.moments("features"))
        self._batch = distributed.share(config.batch, "batch")
        self._encodings = distributed.share(config.encodings, "groups")

    def sample(self, generator: torch.Generator) -> tuple[Batch, torch.Tensor, torch.Tensor]:
        """A batch, the negatives of its groups and their encodings.

        The negatives `(groups, negatives, features of B)` sample the measure `rho`, with respect
        to which `F^T B` is a density; any measure is valid that covers all states the robot
        reaches.
        """
        shape = (self._encodings, self._config.negatives)
        with part("sampling"):
            batch, future = self._sample_batch(self._encodings, generator)
            negatives = self._sample_states(shape, generator)
        with part("encoding of tasks"):
            return batch, negatives, self.sample_z(generator, future)

    def sample_singly(self, generator: torch.Generator) -> tuple[Batch, torch.Tensor]:
        """A batch whose transitions have a task each, and its encodings `(n, d)`."""
        with part("sampling"):
            batch, future = self._sample_batch(self._batch, generator)
        with part("encoding of tasks"):
            return batch, self.sample_z(generator, future, self._batch)

    def _sample_batch(
        self, tasks: int, generator: torch.Generator
    ) -> tuple[Batch, torch.Tensor | None]:
        """Transitions for a number of tasks; those whose tasks are their own future come first,
        with the mean states of that future."""
        groups = round(self._config.future_share * tasks)
        rows, future = torch.zeros(0, dtype=torch.long), None
        if self._windows is not None:
            rows, future = self._windows.own_future(groups, self._batch // tasks, generator)
        rest = self._data.draw(self._batch - len(rows), generator)
        batch = self._data.batch_at(torch.cat([rows, rest])).to(self._networks.device)
        return batch, future

    def sample_z(
        self,
        generator: torch.Generator,
        future: torch.Tensor | None = None,
        total: int | None = None,
    ) -> torch.Tensor:
        """Encodings, `(total, d)`, by default one for each of an update's groups: of states,
        regions, rewards and mixtures, and uniform ones; those of the `future` states `(n,
        features)` come first."""
        config = self._config
        total = total or self._encodings
        asked = self._sample_asked(total, generator)
        parts, start = [], 0
        if future is not None:
            start = len(future)
            parts.append(self._encode_states(asked[:start], future))
        for share, encode_tasks in (
            (config.goal_share, self._encode_goals),
            (config.region_share, self._encode_regions),
            (config.reward_share, self._encode_rewards),
            (config.mixture_share, self._encode_mixtures),
        ):
            count = min(round(share * total), total - start)
            if count:
                parts.append(encode_tasks(asked[start : start + count], generator))
            start += count
        z = sample_sphere(total, config.sizes, generator)
        open_z = z * asked.repeat_interleave(torch.tensor(config.sizes), dim=1)
        return torch.cat([*parts, self._moved(open_z[start:])])

    def _encode_goals(self, asked: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Encodings of single states, one for each row of `asked` `(n, blocks)`."""
        return self._encode_states(asked, self._draw_states((len(asked), 1), generator)[:, 0])

    @torch.no_grad()
    def _encode_states(self, asked: torch.Tensor, states: torch.Tensor) -> torch.Tensor:
        """Encodings of single `states` `(n, features)`."""
        one = self._moved(states)[:, None, self._networks.columns]
        weights = one.new_ones(one.shape[:2])
        return encode(self._networks.backward_map, one, weights, self._moved(asked)).z

    @torch.no_grad()
    def _encode_mixtures(self, asked: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Encodings of several states with random weights, one for each row of `asked`."""
        states = self._sample_states((len(asked), self._config.mixture_states), generator)
        weights = self._moved(torch.rand(states.shape[:2], generator=generator))
        return encode(self._networks.backward_map, states, weights, self._moved(asked)).z

    @torch.no_grad()
    def _encode_regions(self, asked: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Encodings of lying on one side of a plane, `tcp_pos[2] > 0.3`, one for each row.

        The plane goes through a state of the data. Every other plane is perpendicular to an axis,
        as in the formulas that people write.
        """
        networks = self._networks
        states = self._sample_states((len(asked), _REGION_STATES), generator)
        reads = networks.backward_map.reads
        normal = torch.randn(len(asked), states.shape[-1], generator=generator)
        asked = self._moved(asked)
        normal = self._moved(normal) * ((asked @ reads) > 0)
        largest = normal.abs() == normal.abs().max(-1, keepdim=True).values
        normal[::2] = torch.where(largest[::2], normal[::2], 0.0)
        scaled = networks.backward_map.features(states)
        side = ((scaled - scaled[:, :1]) @ normal.unsqueeze(-1)).squeeze(-1) >= 0.0
        return encode(networks.backward_map, states, side.float(), asked).z

    @torch.no_grad()
    def _encode_rewards(self, asked: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Encodings of rewards that a person might type, one for each row of `asked`."""
        assert self._rewards
        states = self._draw_states((len(asked), self._config.reward_states), generator)
        weights = self._moved(self._rewards.weights(states, asked, generator))
        states = self._moved(states)[..., self._networks.columns]
        return encode(self._networks.backward_map, states, weights, self._moved(asked)).z

    def _sample_asked(self, total: int, generator: torch.Generator) -> torch.Tensor:
        """The blocks that each of so many tasks concerns, `(total, blocks)`; at least one."""
        config = self._config
        if not config.open_shares:
            return torch.ones(total, config.blocks)
        shares = torch.tensor(config.open_shares)
        asked = (torch.rand(total, len(shares), generator=generator) >= shares).float()
        asked[:, 0] = torch.where(asked.any(-1), asked[:, 0], 1.0)
        return asked.repeat_interleave(torch.tensor(config.feature_blocks), dim=1)

    def _sample_states(self, shape: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
        """`B`'s inputs of independent states, `(*shape, n)`."""
        return self._moved(self._draw_states(shape, generator))[..., self._networks.columns]

    def _draw_states(self, shape: tuple[int, int], generator: torch.Generator) -> torch.Tensor:
        """All features of independent states, on the CPU: in each row, `box_share` of them are
        drawn evenly over the goal box and the rest as they are in the data."""
        states = self._data.sample_features(shape[0] * shape[1], generator).unflatten(0, shape)
        # They are spread over rows and columns, since some callers read only the first column.
        if self._even:
            even = torch.rand(shape, generator=generator) < self._config.box_share
            states[even] = self._data.features_at(self._even.sample(int(even.sum()), generator))
        return states

    def _moved(self, drawn: torch.Tensor) -> torch.Tensor:
        return moved(drawn, self._networks.device)


def even_states(config: AgentConfig, spec: RobotSpec, data: Transitions) -> EvenStates | None:
    """The states of the goal box for `box_share`; None if that is zero."""
    if not config.box_share:
        return None
    return EvenStates(
        data,
        layout_slices(spec.features)[spec.goal_feature],
        torch.tensor(spec.goal_low) - config.box_margin,
        torch.tensor(spec.goal_high) + config.box_margin,
        spec.goal_radius,
    )
