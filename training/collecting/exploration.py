"""Exploratory actions: pure functions of a random generator."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.settings import require_at_least


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExplorationConfig:
    """Piecewise-constant random actions, correlated in time so that the robot gets somewhere."""

    hold_steps: float = 8.0
    """Mean number of control periods for which an action is held (geometric)."""
    rest_probability: float = 0.1
    """Share of the held actions that are zero, so that the data include standing still."""
    joint_rest_probability: float = 0.3
    """Share of zero components in the other actions."""
    reach: float = 2.0
    """Held actions are drawn from a cube up to this size and clipped to `[-1, 1]`: above 1, the
    data include the limits, which trained policies often use."""
    jitter: float = 0.1
    """Standard deviation of the noise added at each step."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "hold_steps")
        for name in ("rest_probability", "joint_rest_probability"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise FbRosError(f"{name} is {getattr(self, name)}, expected 0 to 1")


def explore(
    rng: np.random.RandomState, config: ExplorationConfig, steps: int, act_dim: int
) -> np.ndarray:
    """Actions in `[-1, 1]`, shape `(steps, act_dim)`.

    A held action is uniform in a cube of random size, so that slow motion, fast motion and motion
    at the limits are all frequent.
    """
    change = rng.uniform(size=steps) < 1.0 / config.hold_steps
    change[0] = True
    segment = np.cumsum(change) - 1
    count = segment[-1] + 1
    size = config.reach * rng.uniform(size=(count, 1))
    held = rng.uniform(-1.0, 1.0, size=(count, act_dim)) * size
    held[rng.uniform(size=held.shape) < config.joint_rest_probability] = 0.0
    held[rng.uniform(size=count) < config.rest_probability] = 0.0
    noise = rng.normal(scale=config.jitter, size=(steps, act_dim))
    noise[np.all(held[segment] == 0.0, axis=1)] = 0.0
    return np.clip(held[segment] + noise, -1.0, 1.0)
