"""Reads the sample of the data's states that travels with a model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from fb_ros.bundle.files import REMEDY
from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec


def read_reference_states(path: Path, robot: RobotSpec) -> dict[str, np.ndarray]:
    """`features` `(n, robot.feature_dim)` and `observation` `(n, robot.obs_dim)`, float32.

    Raises:
        FbRosError: The file is damaged, or does not hold finite states of the robot.
    """
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError, ValueError, TypeError, KeyError) as error:
        raise FbRosError(f"{path} is not readable ({error}); {REMEDY}") from error
    for name, width in (("features", robot.feature_dim), ("observation", robot.obs_dim)):
        found = arrays[name].shape if name in arrays else "nothing"
        if name not in arrays or arrays[name].ndim != 2 or arrays[name].shape[1] != width:
            raise FbRosError(f"{path}: {name} has {found}, expected shape (n, {width}); {REMEDY}")
        if arrays[name].dtype != np.float32:
            raise FbRosError(f"{path}: {name} is {arrays[name].dtype}, expected float32; {REMEDY}")
        if not len(arrays[name]) or not np.all(np.isfinite(arrays[name])):
            raise FbRosError(f"{path}: {name} is empty or not finite, expected states; {REMEDY}")
    if len(arrays["features"]) != len(arrays["observation"]):
        raise FbRosError(
            f"{path}: {len(arrays['features'])} features and {len(arrays['observation'])} "
            f"observations, expected as many of each; {REMEDY}"
        )
    return arrays
