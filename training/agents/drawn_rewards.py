"""Tasks that are random rewards, weighted as task inference weights typed ones."""

from __future__ import annotations

import torch

from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import columns_of
from training.agents.reward_prior import common_spread, draw_rewards, reward_weights
from training.data.moments import Moments


class DrawnRewards:
    """Draws rewards over the features that `B` reads. It computes on the CPU: each draw depends on
    the one before, so a GPU would have to be waited for."""

    def __init__(self, config: AgentConfig, spec: RobotSpec, features: Moments) -> None:
        """`features` are the moments of all of the robot's features."""
        self._feature_blocks = config.feature_blocks
        self._columns = [columns_of(spec.features, (name,)) for name in config.features]
        self._mean = torch.from_numpy(features.mean).float()
        # All components of a feature share one spread, which keeps distances.
        self._spread = common_spread(torch.from_numpy(features.std).float(), self._columns)

    def weights(
        self, features: torch.Tensor, asked: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Weights `(tasks, n)` of states with all their features `(tasks, n, feature_dim)`;
        `asked` `(tasks, blocks)` is 1 for the blocks that a task concerns."""
        speaks = self._features_of(asked, generator)
        columns = [
            [own for own, yes in zip(self._columns, row, strict=True) if yes]
            for row in speaks.tolist()
        ]
        scaled = (features - self._mean) / self._spread
        return reward_weights(draw_rewards(scaled, columns, generator))

    def _features_of(self, asked: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """The features of a task, `(tasks, features)`: those that its blocks read; if blocks read
        all features, any of them."""
        if self._feature_blocks:
            ends = torch.tensor(self._feature_blocks).cumsum(0) - 1
            return asked[:, ends] > 0.0
        shape = len(asked), len(self._columns)
        speaks = torch.rand(shape, generator=generator) < 0.5
        one = torch.randint(shape[1], (shape[0],), generator=generator)
        speaks[torch.arange(shape[0]), one] = True
        return speaks
