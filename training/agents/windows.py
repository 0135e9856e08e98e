"""Tasks that were achieved: the next stride of a trajectory.

Ours, in no paper. A group of an update's transitions comes from one window of a trajectory, and
its task is the mean state of the stride that followed. The data's own actions are then good ones
for the task, and an advantage-weighted policy can learn from them. If tasks are drawn
independently of the transitions, hardly any action of a batch is good.

The task is one state, as a published velocity is. A mixture of the stride's states says less:
their Fourier features, whose phases tell a velocity from a faster one, cancel each other, and the
robot walks as fast as it can in the direction that is left.
"""

from __future__ import annotations

import math

import torch

from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.strides import Strides
from training.data.data import Transitions


class Windows:
    """Windows of trajectories, and the strides that followed them."""

    def __init__(self, config: AgentConfig, spec: RobotSpec, data: Transitions) -> None:
        """`rare_share` and `steady` need a robot that takes velocities."""
        self._config, self._data = config, data
        ends = data.episode_ends()
        self._starts = torch.cat([ends.new_zeros(1), ends[:-1]])
        self._ends = ends
        self._strides: Strides | None = None
        if config.rare_share or config.steady:
            self._strides = Strides(config, spec, data)

    def own_future(
        self, groups: int, rows: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows of the data for transitions `(groups * rows,)`, each group from one window, and the
        mean state of what each window's trajectory did next, `(groups, features)`."""
        config = self._config
        after, first, last = self._draw(groups, generator)
        offset = self._distances(groups, generator)
        # Where the episode is too young for a whole window, there is less of it.
        start = torch.maximum(after - offset - config.window_steps, first)
        length = (after - offset - start).clamp(min=1)
        share = torch.rand(groups, rows, generator=generator, dtype=torch.float64)
        here = start.unsqueeze(1) + (share * length.unsqueeze(1)).long()
        return self._data.rows_of(here.flatten()), self._mean_state(after, last)

    def _distances(self, groups: int, generator: torch.Generator) -> torch.Tensor:
        """How many transitions after its window each future begins, `(groups,)`."""
        config = self._config
        low, high = config.future_steps
        near = torch.randint(low, high + 1, (groups,), generator=generator)
        if not config.far_share:
            return near
        doublings = torch.rand(groups, generator=generator) * math.log2(config.far_steps / high)
        far = (high * 2.0**doublings).round().long()
        is_far = torch.rand(groups, generator=generator) < config.far_share
        return torch.where(is_far, far, near)

    def _mean_state(self, start: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """The mean features `(groups, features)` of the states within `future_span` of `start`
        `(groups,)`, up to the end of the episode."""
        steps = start[:, None] + torch.arange(self._config.future_span)
        transitions = torch.minimum(steps, last[:, None])
        # The states after those transitions.
        found = self._data.features_at(self._data.rows_of(transitions.flatten()) + 1)
        return found.unflatten(0, transitions.shape).mean(1)

    def _draw(
        self, count: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The first transitions of strides, and the first and last ones of their episodes,
        `(count,)`."""
        if self._strides is None:
            start = torch.randint(len(self._data), (count,), generator=generator)
        else:
            start = self._strides.draw(count, generator)
        episode = torch.searchsorted(self._ends, start, right=True)
        return start, self._starts[episode], self._ends[episode] - 1
