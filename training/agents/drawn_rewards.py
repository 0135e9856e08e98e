"""Tasks that are rewards drawn at random, encoded as task inference encodes what people type."""

from __future__ import annotations

import torch

from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.reward_prior import common_spread, draw_rewards, reward_weights
from training.networks.backward_map import BackwardMap
from training.networks.encoding import encode


class DrawnRewards:
    """Draws rewards over the features that `B` reads, and encodes them."""

    def __init__(self, config: AgentConfig, spec: RobotSpec) -> None:
        self._feature_blocks = config.feature_blocks
        self._columns: list[list[int]] = []
        start = 0
        for name in config.features:
            size = spec.feature(name).size
            self._columns.append(list(range(start, start + size)))
            start += size

    @torch.no_grad()
    def encode(
        self,
        backward_map: BackwardMap,
        states: torch.Tensor,
        asked: torch.Tensor,
        generator: torch.Generator,
    ) -> torch.Tensor:
        """Encodings `(tasks, d)` of a reward each over `states` `(tasks, n, features)`; `asked`
        `(tasks, blocks)` is 1 for the blocks that a task is about."""
        normalizer = backward_map.features
        # One spread for all components of a feature, so that distances are what they are.
        scaled = (states - normalizer.mean) / common_spread(normalizer.std, self._columns)
        speaks = self._features_of(asked.cpu(), generator)
        columns = [
            [own for own, yes in zip(self._columns, row, strict=True) if yes]
            for row in speaks.tolist()
        ]
        rewards = draw_rewards(scaled, columns, generator)
        return encode(backward_map, states, reward_weights(rewards), asked).z

    def _features_of(self, asked: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """Which features a task speaks of, `(tasks, features)`: those that its blocks read, and
        where blocks read all features, any of them."""
        if self._feature_blocks:
            ends = torch.tensor(self._feature_blocks).cumsum(0) - 1
            return asked[:, ends] > 0.0
        shape = len(asked), len(self._columns)
        speaks = torch.rand(shape, generator=generator) < 0.5
        one = torch.randint(shape[1], (shape[0],), generator=generator)
        speaks[torch.arange(shape[0]), one] = True
        return speaks
