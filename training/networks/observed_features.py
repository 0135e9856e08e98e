"""What `B` reads of a state, computed from an observation alone."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field, layout_slices
from fb_ros.robot.robot_spec import RobotSpec


class ObservedFeatures(nn.Module):
    """An affine map from observations `(…, obs_dim)` to the features `names`, `(…, n)`.

    `F` compares a predicted next observation with the task; for that it has to hold whatever
    `B` reads.
    """

    def __init__(self, spec: RobotSpec, names: Sequence[str]) -> None:
        super().__init__()
        maps = [_affine(spec, spec.feature(name)) for name in names]
        self.register_buffer("matrix", torch.cat([matrix for matrix, _ in maps], dim=1))
        self.register_buffer("offset", torch.cat([offset for _, offset in maps]))
        self.matrix: torch.Tensor
        self.offset: torch.Tensor

    def forward(self, observation: torch.Tensor) -> torch.Tensor:
        return observation @ self.matrix + self.offset


def _affine(spec: RobotSpec, feature: Field) -> tuple[torch.Tensor, torch.Tensor]:
    slices = layout_slices(spec.observation)
    matrix, offset = torch.zeros(spec.obs_dim, feature.size), torch.zeros(feature.size)
    for field in spec.observation:
        columns = range(slices[field.name].start, slices[field.name].stop)
        same = (field.source, field.encoding) == (feature.source, feature.encoding)
        if same and field.joints == feature.joints:
            matrix[list(columns), list(range(feature.size))] = 1.0
            return matrix, offset
        raw = field.source == feature.source and field.encoding == "identity"
        if feature.encoding == "opening" and raw and set(feature.joints) <= set(field.joints):
            span = feature.high - feature.low
            for joint in feature.joints:
                row = columns[field.joints.index(joint)]
                matrix[row, 0] = -1.0 / (len(feature.joints) * span)
            return matrix, offset + 1.0 + feature.low / span
    names = ", ".join(field.name for field in spec.observation)
    raise FbRosError(
        f"B reads {feature.name}, which the observation of {spec.name} lacks; its fields are "
        f"{names}"
    )
