"""Features computed from an observation alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field, layout_slices
from fb_ros.robot.robot_spec import RobotSpec


def observed_features(spec: RobotSpec, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """The affine map from observations to the features `names`: `observation @ matrix + offset`.

    `matrix` is `(obs_dim, k)` and `offset` `(k,)`; refuses a feature that the observation lacks.
    """
    maps = [_affine(spec, spec.feature(name)) for name in names]
    matrix = np.concatenate([matrix for matrix, _ in maps], axis=1)
    return matrix, np.concatenate([offset for _, offset in maps])


def _affine(spec: RobotSpec, feature: Field) -> tuple[np.ndarray, np.ndarray]:
    slices = layout_slices(spec.observation)
    matrix, offset = np.zeros((spec.obs_dim, feature.size)), np.zeros(feature.size)
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
