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
    off = _off(robot, features, velocity)
    squares = np.square(off).sum(axis=1) + _bent(robot, features)
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


def kept_state(
    robot: RobotSpec,
    features: np.ndarray,
    states: np.ndarray,
    columns: Mapping[str, np.ndarray],
    velocity: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    """The state `(m,)` whose encoding asks for keeping `velocity`.

    `features` `(n, feature_dim)` are states of the data, and `states` `(n, m)` what `B` reads of
    them, with the `columns` of each feature; `weights` are their `velocity_weights`.

    It is the weighted mean of the states around the velocity, with the velocity itself exactly as
    it is asked for. (The posture is the data's: a robot that walks is never quite as level as one
    that stands, and exactly level it would be asked for both.) For standing it is the stillest of
    the states in about the robot's posture: a mean would ask for stepping in place, too.
    """
    if np.any(velocity):
        state: np.ndarray = weights @ states / weights.sum()
    else:
        moves = np.square(_off(robot, features, velocity)).sum(axis=1)
        moves[_bent(robot, features) > 1.0] += moves.max()
        state = states[np.argmin(moves)].astype(np.float64)
    state[np.concatenate([columns[name] for name in robot.velocity_features])] = velocity
    return state


def _off(robot: RobotSpec, features: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """How far states are from a velocity, in its widths, `(n, k)`."""
    off: np.ndarray = _columns(robot, features, robot.velocity_features) - velocity
    return off / robot.velocity_widths


def _bent(robot: RobotSpec, features: np.ndarray) -> np.ndarray:
    """Squared distance of states from the robot's posture, in its widths, `(n,)`."""
    if not robot.posture_features:
        return np.zeros(len(features))
    off = _columns(robot, features, robot.posture_features) - robot.posture
    squares: np.ndarray = np.square(off / robot.posture_widths).sum(axis=1)
    return squares


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
