"""Weights of states for keeping a velocity: the dense reward around it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec

# Below this many effective states the reward is widened by this factor, at most so many times.
_FEWEST, _WIDEN, _TIMES = 50.0, 1.25, 6
# Number of Newton steps of the tilt, and the length of the longest one.
_STEPS, _LONGEST = 12, 1.0


def velocity_weights(robot: RobotSpec, features: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """The weights `(n,)`, largest 1, of states `(n, feature_dim)` for keeping `velocity` `(k,)`.

    The reward is a Gaussian around the velocity and the robot's posture, in units of
    `velocity_widths` and `posture_widths`, and wider where almost no state would carry it. It is
    tilted so that the weighted mean velocity is the one asked for: where slower states are more
    frequent than faster ones, as at the edge of the data, the mean over a symmetric reward asks
    for less.
    """
    off = (_columns(robot, features, robot.velocity_features) - velocity) / robot.velocity_widths
    posture = np.zeros(len(features))
    if robot.posture_features:
        values = _columns(robot, features, robot.posture_features)
        posture = np.square((values - robot.posture) / robot.posture_widths).sum(axis=1)
    squares = np.square(off).sum(axis=1) + posture
    log_weights = -0.5 * squares
    for time in range(_TIMES):
        log_weights = -0.5 * squares / _WIDEN ** (2 * time)
        if _effective(log_weights) >= _FEWEST:
            break
    return _weights(log_weights + _tilt(off, log_weights))


def mean_velocity(robot: RobotSpec, features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """The weighted mean velocity `(k,)` of states `(n, feature_dim)`."""
    mean: np.ndarray = weights @ _columns(robot, features, robot.velocity_features)
    return mean / weights.sum()


def velocity_state(
    robot: RobotSpec,
    states: np.ndarray,
    columns: Mapping[str, np.ndarray],
    weights: np.ndarray,
    velocity: np.ndarray,
) -> np.ndarray:
    """The state `(m,)` that a robot holds while it keeps `velocity` `(k,)`.

    It is the weighted mean of `states` `(n, m)`, with the velocity and the robot's posture exactly
    as they are asked for; `columns` are those of each feature.
    """
    state: np.ndarray = weights @ states / weights.sum()
    sides = (
        (robot.velocity_features, velocity),
        (robot.posture_features, np.asarray(robot.posture)),
    )
    for names, values in sides:
        if names:
            state[np.concatenate([columns[name] for name in names])] = values
    return state


def _tilt(off: np.ndarray, log_weights: np.ndarray) -> np.ndarray:
    """The term that, added to `log_weights`, makes the weighted mean of `off` `(n, k)` zero.

    It is an exponential tilt, the least change of the weights that does so (minimum relative
    entropy), found by a few damped Newton steps on its convex dual; an unreachable mean stays
    unreached.
    """
    direction = np.zeros(off.shape[1])
    for _ in range(_STEPS):
        weights = _weights(log_weights + off @ direction)
        weights = weights / weights.sum()
        mean = weights @ off
        spread = (off * weights[:, None]).T @ off - np.outer(mean, mean)
        step = -np.linalg.solve(spread + 0.05 * np.eye(len(mean)), mean)
        direction += step / max(1.0, float(np.linalg.norm(step)) / _LONGEST)
    # The tilt is dropped if it would put all weight on a few states.
    tilted = log_weights + off @ direction
    tilt: np.ndarray = off @ direction
    return tilt if _effective(tilted) >= 0.2 * _FEWEST else np.zeros_like(tilt)


def _columns(robot: RobotSpec, features: np.ndarray, names: Sequence[str]) -> np.ndarray:
    slices = layout_slices(robot.features)
    return np.concatenate([features[:, slices[name]] for name in names], axis=1)


def _weights(log_weights: np.ndarray) -> np.ndarray:
    weights: np.ndarray = np.exp(log_weights - log_weights.max())
    return weights


def _effective(log_weights: np.ndarray) -> float:
    """How many states of equal weight these weights are worth (Kish)."""
    weights = _weights(log_weights)
    return float(weights.sum() ** 2 / np.square(weights).sum())
