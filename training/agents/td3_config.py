"""Configuration of a TD3 agent."""

from __future__ import annotations

import dataclasses

from fb_ros.errors import FbRosError
from fb_ros.settings import require_at_least


@dataclasses.dataclass(frozen=True, kw_only=True)
class Td3Config:
    """Sizes and optimisation of a TD3 agent."""

    hidden: int = 256
    """Width of the critics and of the actor."""
    batch: int = 256
    """Transitions per update."""
    learning_rate: float = 3e-4
    """Adam's step size."""
    gamma: float = 0.99
    """Discount."""
    target_rate: float = 0.01
    """Share of the online weights that enters the target networks per update."""
    noise: float = 0.2
    """Standard deviation of the smoothing noise on the target's actions."""
    noise_clip: float = 0.3
    """Bound of the smoothing noise."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "hidden", "batch")
        if not 0.0 < self.gamma < 1.0:
            raise FbRosError(f"gamma is {self.gamma}, expected above 0 and below 1")
