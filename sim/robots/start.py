"""Where a robot with legs starts."""

from __future__ import annotations

from typing import Literal, get_args

from fb_ros.settings import require_one_of

Start = Literal["benchmark", "standing"]
"""As its benchmark has it, which may be on its back, or on its feet. Robots without legs start the
same either way."""

STARTS: tuple[Start, ...] = get_args(Start)


def require_start(start: str) -> Start:
    """Refuses a place to start that there is not."""
    return require_one_of("start", start, STARTS)
