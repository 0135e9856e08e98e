"""Where a robot with legs starts."""

from __future__ import annotations

from typing import Literal, cast, get_args

from fb_ros.errors import FbRosError

Start = Literal["benchmark", "standing"]
"""As its benchmark has it, which may be on its back, or on its feet. Robots without legs start the
same either way."""

STARTS: tuple[str, ...] = get_args(Start)


def require_start(start: str) -> Start:
    """Refuses a place to start that there is not."""
    if start not in STARTS:
        raise FbRosError(f"start is {start!r}, expected one of {', '.join(STARTS)}")
    return cast(Start, start)
