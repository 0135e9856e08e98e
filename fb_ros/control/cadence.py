"""The grid of control periods, which says when a control step is due."""

from __future__ import annotations

import math

# _EARLY is the share of a period by which an observation may be early and still be acted on.
# _FOLLOW is the share of an observation's offset by which the grid moves towards it: the grid
# follows a sensor of the same rate whose clock differs by up to 1 %, and takes one observation of
# many from a faster sensor.
_EARLY = 0.25
_FOLLOW = 0.05


class Cadence:
    """A grid of control periods in phase with the observations.

    A due observation is acted on when it arrives, not at the next tick of a timer, which would add
    half a period of delay on average. Missed steps are counted and never made up for.
    """

    def __init__(self, period: float) -> None:
        """`period` is in seconds of the robot's clock."""
        self._period = period
        self._due: float | None = None

    def restart(self) -> None:
        """Forgets the grid: the next observation begins a new one."""
        self._due = None

    def is_due(self, time: float) -> bool:
        """Whether an observation of `time` (s, robot's clock) starts a control step."""
        return self._due is None or time >= self._due - _EARLY * self._period

    def step(self, time: float) -> int:
        """Records a step at `time`; returns how many steps were missed since the one before."""
        if self._due is None:
            self._due = time + self._period
            return 0
        late = time - self._due
        missed = max(0, math.floor(late / self._period + 0.5))
        # The grid goes on from this step, not from the missed one, so nothing piles up.
        self._due += (missed + 1) * self._period + _FOLLOW * (late - missed * self._period)
        return missed
