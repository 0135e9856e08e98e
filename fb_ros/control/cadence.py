"""When a control step is due."""

from __future__ import annotations

import math

# Share of a period by which an observation may be early and still be acted on, and the share of
# that which the grid moves towards the observations: it follows a sensor of the same rate whose
# clock differs by up to 1 %, and takes one of many from a faster sensor.
_EARLY = 0.25
_FOLLOW = 0.05


class Cadence:
    """A grid of control periods in phase with the observations.

    An observation that is due is acted on when it arrives and not at the next tick of a timer,
    which would add half a period of delay on average. Steps that were missed are counted, and
    never made up for.
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
        """Takes note of a step at `time`; how many steps were missed since the one before."""
        if self._due is None:
            self._due = time + self._period
            return 0
        late = time - self._due
        missed = max(0, math.floor(late / self._period + 0.5))
        # From here, and not from the step that was missed: nothing piles up.
        self._due += (missed + 1) * self._period + _FOLLOW * (late - missed * self._period)
        return missed
