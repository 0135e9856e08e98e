"""Detecting that training diverges."""

from __future__ import annotations

import math
from collections.abc import Mapping

from training.agents.agent_config import AgentConfig


def divergence(figures: Mapping[str, float], config: AgentConfig, tolerance: float) -> str | None:
    """The reason to stop training, or None.

    `B` lies on the sphere of radius `sqrt(d)`, and so does `z`. Rewards `B^T z` are then at most
    `d`, and values at most `d / (1 - gamma)`. `F` sums up `B` where `B` is orthonormal, so its
    norm is at most `sqrt(d) / (1 - gamma)`. Values beyond `tolerance` times these bounds mean
    nothing.
    """
    for name, value in figures.items():
        if not math.isfinite(value):
            return f"{name} is {value}"
    horizon = 1.0 / (1.0 - config.gamma)
    for name, title, bound in (
        ("f_norm", "the norm of F", math.sqrt(config.d) * horizon),
        ("q_size", "the size of Q", config.d * horizon),
    ):
        # The policy alone learns where these are not measured.
        if figures.get(name, 0.0) > tolerance * bound:
            return (
                f"{title} is {figures[name]:.3g}, and at most {bound:.3g} is possible where B is "
                "orthonormal"
            )
    return None
