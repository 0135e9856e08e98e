"""Maps impossible observations, such as a sine of 1.1, to the nearest possible ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec

_SMALLEST = 1e-6


def possible_observation(spec: RobotSpec) -> Callable[[np.ndarray], np.ndarray]:
    """Makes the map from predicted observations `(n, obs_dim)` to ones that can be observed.

    Sines go with their cosines, an axis has length one, and a joint stays within its limits.
    """
    slices = layout_slices(spec.observation)
    limits = dict(
        # The lists are empty where no joint has a limit.
        zip(spec.action_joints, zip(spec.joint_low, spec.joint_high, strict=True), strict=False)
    )
    low, high = np.full(spec.obs_dim, -np.inf), np.full(spec.obs_dim, np.inf)
    circles: list[tuple[np.ndarray, np.ndarray]] = []
    axes: list[slice] = []
    for field in spec.observation:
        part = slices[field.name]
        if field.encoding == "sin_cos":
            sines = np.arange(part.start, part.start + len(field.joints))
            circles.append((sines, sines + len(field.joints)))
        elif field.encoding == "z_axis":
            axes.append(part)
        elif (field.source, field.encoding) == ("joint_position", "identity"):
            for column, joint in enumerate(field.joints, part.start):
                lowest, highest = limits.get(joint, (None, None))
                low[column] = -np.inf if lowest is None else lowest
                high[column] = np.inf if highest is None else highest

    def project(observation: np.ndarray) -> np.ndarray:
        found = np.clip(observation, low, high)
        for sines, cosines in circles:
            length = np.maximum(np.hypot(found[:, sines], found[:, cosines]), _SMALLEST)
            found[:, sines] /= length
            found[:, cosines] /= length
        for part in axes:
            length = np.linalg.norm(found[:, part], axis=1, keepdims=True)
            found[:, part] /= np.maximum(length, _SMALLEST)
        return found

    return project
