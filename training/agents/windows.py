"""Tasks that were achieved: the next stride of a trajectory, or a stride anywhere in the data.

Ours, in no paper. A group of an update's transitions comes from one window of a trajectory, and
its task is the mean state of the stride that followed. The data's own actions are then good ones
for the task, and an advantage-weighted policy can learn from them. If tasks are drawn
independently of the transitions, hardly any action of a batch is good.

The task is one state, as a published velocity is. A mixture of the stride's states says less:
their Fourier features, whose phases tell a velocity from a faster one, cancel each other, and the
robot walks as fast as it can in the direction that is left.
"""

from __future__ import annotations

import torch

from fb_ros.errors import FbRosError
from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.data.data import Transitions

# Steps over which a velocity is averaged to find rare ones: a stride and a half of walking robots.
_SMOOTH = 25
# Velocities are counted in cells: their size in standard deviations, and their number.
_CELL, _CELLS = 0.5, 8


class Windows:
    """Windows of trajectories, a share of which is drawn where velocities are rare."""

    def __init__(self, config: AgentConfig, spec: RobotSpec, data: Transitions) -> None:
        """`rare_share` needs a robot that takes velocities."""
        self._config, self._data = config, data
        ends = data.episode_ends()
        self._starts = torch.cat([ends.new_zeros(1), ends[:-1]])
        self._ends = ends
        self._rare: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None
        if config.rare_share:
            self._rare = self._cells(spec)

    def own_future(
        self, groups: int, rows: int, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Rows of the data for transitions `(groups * rows,)`, each group from one window, and the
        mean state of what each window's trajectory did next, `(groups, features)`."""
        config = self._config
        start, last = self._draw(groups, generator)
        within = torch.randint(config.window_steps, (groups, rows), generator=generator)
        here = torch.minimum(start.unsqueeze(1) + within, last.unsqueeze(1))
        low, high = config.future_steps
        offset = torch.randint(low, high + 1, (groups,), generator=generator)
        after = start + config.window_steps + offset
        return self._data.rows_of(here.flatten()), self._mean_state(after, last)

    def anywhere(self, groups: int, generator: torch.Generator) -> torch.Tensor:
        """Mean states of strides anywhere in the data, `(groups, features)`."""
        return self._mean_state(*self._draw(groups, generator))

    def _mean_state(self, start: torch.Tensor, last: torch.Tensor) -> torch.Tensor:
        """The mean features `(groups, features)` of the states within `future_span` of `start`
        `(groups,)`, up to the end of the episode."""
        steps = start[:, None] + torch.arange(self._config.future_span)
        transitions = torch.minimum(steps, last[:, None])
        # The states after those transitions.
        found = self._data.features_at(self._data.rows_of(transitions.flatten()) + 1)
        return found.unflatten(0, transitions.shape).mean(1)

    def _draw(self, count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """The first transitions of windows, and the last ones of their episodes, `(count,)`."""
        start = torch.randint(len(self._data), (count,), generator=generator)
        if self._rare is not None:
            order, first, sizes = self._rare
            cell = torch.multinomial(sizes.sqrt(), count, replacement=True, generator=generator)
            share = torch.rand(count, generator=generator, dtype=torch.float64)
            rare = order[first[cell] + (share * sizes[cell]).long()]
            which = torch.rand(count, generator=generator) < self._config.rare_share
            start = torch.where(which, rare, start)
        episode = torch.searchsorted(self._ends, start, right=True)
        last = self._ends[episode] - 1
        # This leaves some of the future, if the episode is long enough.
        room = self._config.window_steps + self._config.future_steps[0]
        latest = torch.maximum(last - room, self._starts[episode])
        return torch.minimum(start, latest), last

    def _cells(self, spec: RobotSpec) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Transitions in the order of their velocity's cell, and each cell's first one and
        size."""
        if not spec.velocity_features:
            raise FbRosError(
                f"rare_share needs a robot with a velocity, {spec.name} has none; set it to 0"
            )
        slices = layout_slices(spec.features)
        columns = [c for name in spec.velocity_features for c in range(*_span(slices[name]))]
        # The components of a velocity prompt: across, forwards, and the turn about the vertical
        # axis.
        columns = [columns[0], columns[1], columns[-1]]
        parts = [features for _, features in self._data.following_features(slice(None))]
        velocity = torch.cat([part[:, columns] for part in parts]).double()
        total = torch.cat([velocity.new_zeros(1, 3), velocity.cumsum(0)])
        number = torch.arange(len(velocity))
        episode = torch.searchsorted(self._ends, number, right=True)
        end = torch.minimum(number + _SMOOTH, self._ends[episode])
        mean = (total[end] - total[number]) / (end - number).unsqueeze(1)
        scaled = (mean - mean.mean(0)) / mean.std(0).clamp(min=1e-9) / _CELL
        index = scaled.floor().long().clamp(-_CELLS, _CELLS - 1) + _CELLS
        cell = (index * index.new_tensor([4 * _CELLS**2, 2 * _CELLS, 1])).sum(-1)
        # Most rare velocities are those of tumbling, which nobody asks for.
        standing = torch.cat([self._stands(spec, part) for part in parts])
        number = number[standing]
        if not len(number):
            raise FbRosError(
                "the robot stands in no state of the data, so that no velocity is rare; set "
                "rare_share to 0"
            )
        ordered, order = cell[standing].sort(stable=True)
        sizes = ordered.unique_consecutive(return_counts=True)[1]
        return number[order], sizes.cumsum(0) - sizes, sizes.double()

    @staticmethod
    def _stands(spec: RobotSpec, features: torch.Tensor) -> torch.Tensor:
        """Whether the robot has not fallen in each state `(n, features)`, booleans `(n,)`."""
        slices = layout_slices(spec.features)
        up = [
            slices[field.name].start + 2 for field in spec.features if field.encoding == "z_axis"
        ]
        if spec.fallen_below is None or not up:
            return torch.ones(len(features), dtype=torch.bool)
        return features[:, up[0]] > spec.fallen_below


def _span(columns: slice) -> tuple[int, int]:
    return columns.start, columns.stop
