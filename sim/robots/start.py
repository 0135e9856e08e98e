"""Where a robot with legs starts."""

from __future__ import annotations

from typing import Literal, get_args

from fb_ros.settings import require_one_of

Start = Literal["benchmark", "standing"]
"""Initial states as in the robot's benchmark, where it may lie on its back, or on its feet. Robots
without legs start the same either way."""

STARTS: tuple[Start, ...] = get_args(Start)


def require_start(start: str) -> Start:
    """Refuses an unknown start."""
    return require_one_of("start", start, STARTS)
