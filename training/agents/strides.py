"""Strides of trajectories: those that keep their velocity, and those that are rare."""

from __future__ import annotations

import torch

from fb_ros.errors import FbRosError
from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import columns_of
from training.data.data import Transitions

# Velocities and postures are counted in cells: their sizes in standard deviations, and half their
# number in each dimension.
_CELL, _POSTURE_CELL, _CELLS = 0.5, 1.0, 8
# How far, in standard deviations, the next stride's posture may be from that of a stride that
# keeps it.
_BENT = 0.5


class Strides:
    """The strides of `future_span` transitions, by the transition that they begin with.

    With `steady`, only those are drawn on which the robot is on its feet and whose velocity and
    posture the next stride keeps. A stride within which the velocity changes says little about
    keeping its mean: most of its transitions have another velocity, and a policy that learns from
    them hardly corrects its own.
    """

    def __init__(self, config: AgentConfig, spec: RobotSpec, data: Transitions) -> None:
        """Refuses a robot without a velocity, and data in which no stride is left."""
        if not spec.velocity_features:
            raise FbRosError(
                f"rare_share and steady need a robot with a velocity, {spec.name} has none; set "
                "both to 0"
            )
        self._rare_share = config.rare_share
        ends, number = data.episode_ends(), torch.arange(len(data))
        end = ends[torch.searchsorted(ends, number, right=True)]
        span, moves = config.future_span, len(_commanded(spec))
        parts = [features for _, features in data.following_features(slice(None))]
        posture = columns_of(spec.features, spec.posture_features)
        values = torch.cat([part[:, _commanded(spec) + posture] for part in parts]).double()
        # Most rare velocities are those of tumbling, which nobody asks for.
        stands = torch.cat([_stands(spec, part) for part in parts]).double()
        total = torch.cat([values, stands.unsqueeze(1)], dim=1).cumsum(0)
        total = torch.cat([total.new_zeros(1, total.shape[1]), total])
        mean = _mean(total, number, span, end)
        usual = mean[:, -1] > 1.0 - 1e-6
        if config.steady:
            after = _mean(total, torch.minimum(number + span, end - 1), span, end)
            widths = torch.tensor(spec.velocity_widths, dtype=torch.float64)[[0, 1, -1]]
            off = (after[:, :moves] - mean[:, :moves]) / widths
            usual &= off.norm(dim=1) < config.steady
            bent = (after - mean)[:, moves:-1] / mean[:, moves:-1].std(0).clamp(min=1e-9)
            usual &= bent.norm(dim=1) < _BENT
        number, mean = number[usual], mean[usual, :-1]
        if not len(number):
            raise FbRosError(
                "the robot keeps no velocity on its feet in the data; set rare_share and steady "
                "to 0"
            )
        self._usual = number if config.steady else torch.arange(len(data))
        size = torch.tensor([_CELL] * moves + [_POSTURE_CELL] * len(posture))
        scaled = (mean - mean.mean(0)) / (size * mean.std(0).clamp(min=1e-9))
        index = scaled.round().long().clamp(-_CELLS, _CELLS - 1) + _CELLS
        place = (2 * _CELLS) ** torch.arange(index.shape[1])
        ordered, order = (index * place).sum(-1).sort(stable=True)
        sizes = ordered.unique_consecutive(return_counts=True)[1]
        self._order, self._first, self._sizes = number[order], sizes.cumsum(0) - sizes, sizes
        self._weights = sizes.double().sqrt()

    def draw(self, count: int, generator: torch.Generator) -> torch.Tensor:
        """The first transitions of strides, `(count,)`; the share `rare_share` of them in
        proportion to the square root of how many have about that velocity and posture."""
        start = self._usual[torch.randint(len(self._usual), (count,), generator=generator)]
        if not self._rare_share:
            return start
        cell = torch.multinomial(self._weights, count, replacement=True, generator=generator)
        share = torch.rand(count, generator=generator, dtype=torch.float64)
        rare = self._order[self._first[cell] + (share * self._sizes[cell]).long()]
        return torch.where(torch.rand(count, generator=generator) < self._rare_share, rare, start)


def _commanded(spec: RobotSpec) -> list[int]:
    """Columns of a velocity prompt's components: across, forwards, and the turn about the vertical
    axis."""
    columns = columns_of(spec.features, spec.velocity_features)
    return [columns[0], columns[1], columns[-1]]


def _mean(total: torch.Tensor, start: torch.Tensor, span: int, end: torch.Tensor) -> torch.Tensor:
    """The mean over `span` transitions from each `start`, up to the `end` of its episode."""
    stop = torch.minimum(start + span, end)
    return (total[stop] - total[start]) / (stop - start).unsqueeze(1)


def _stands(spec: RobotSpec, features: torch.Tensor) -> torch.Tensor:
    """Whether the robot has not fallen in each state `(n, features)`, booleans `(n,)`."""
    slices = layout_slices(spec.features)
    up = [slices[field.name].start + 2 for field in spec.features if field.encoding == "z_axis"]
    if spec.fallen_below is None or not up:
        return torch.ones(len(features), dtype=torch.bool)
    return features[:, up[0]] > spec.fallen_below
