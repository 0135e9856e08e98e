"""The features that `B` reads, computed from an observation only."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fb_ros.robot.observed_features import observed_features
from fb_ros.robot.robot_spec import RobotSpec


class ObservedFeatures(nn.Module):
    """An affine map from observations `(…, obs_dim)` to the features `names`, `(…, n)`.

    `F` compares a predicted next observation with the task, so the observation has to contain
    every feature that `B` reads.
    """

    def __init__(self, spec: RobotSpec, names: Sequence[str]) -> None:
        super().__init__()
        matrix, offset = observed_features(spec, names)
        self.register_buffer("matrix", torch.from_numpy(matrix).float())
        self.register_buffer("offset", torch.from_numpy(offset).float())
        self.matrix: torch.Tensor
        self.offset: torch.Tensor

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        return observation @ self.matrix + self.offset
