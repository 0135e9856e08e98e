"""A `z` that moves from one encoding to the next instead of jumping."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.task_inference.sphere import interpolate


class Ramp:
    """The present `z`, on its way from an earlier value to the newest encoding."""

    def __init__(self, blocks: Sequence[int], seconds: float) -> None:
        """`seconds` is the time that every change takes; 0 means at once."""
        if not seconds >= 0.0:
            raise FbRosError(f"ramp_seconds is {seconds:g}, expected 0 or more")
        self._blocks, self.seconds = tuple(blocks), seconds
        self._start: np.ndarray | None = None
        self._end: np.ndarray | None = None
        self._since = 0.0

    def go_to(self, z: np.ndarray, time: float) -> np.ndarray:
        """Starts towards `z` `(d,)` at `time` (s), from its value then; returns that value."""
        self._start = None if self._end is None else self.at(time)
        self._end, self._since = np.array(z), time
        return self.at(time)

    def at(self, time: float) -> np.ndarray:
        """`z` at `time` (s), `(d,)`; if the clock went back, the ramp is over."""
        if self._end is None:
            raise FbRosError("there is no z yet; publish a prompt")
        if self.arrived(time) or self._start is None:
            return self._end
        share = (time - self._since) / self.seconds
        return interpolate(self._start, self._end, share, self._blocks).astype(self._end.dtype)

    def arrived(self, time: float) -> bool:
        """Whether the ramp is over at `time`."""
        gone = time - self._since
        return self._start is None or gone < 0.0 or gone >= self.seconds
