"""Keeps the newest observation, its age, and whether an arriving one is newer."""

from __future__ import annotations

import math
from typing import Literal

from fb_ros.control.step import Observation

Verdict = Literal["taken", "reordered", "late"]


class Freshness:
    """Keeps the newest observation, on a clock that may go backwards.

    Times are seconds of the robot's clock.
    """

    def __init__(self) -> None:
        self.newest: Observation | None = None
        """The observation that may be acted on; None from a sensor fault to the next
        observation."""
        self.time = 0.0
        """The observation's stamp, or its arrival if it has no stamp; the cadence uses it."""
        self._now = -math.inf
        self._observed_at: float | None = None
        self._newest_stamp: float | None = None
        """Stamp of the newest observation that was taken, even if it is too old by now."""
        self._heard_stamp: float | None = None
        """Stamp of the last observation that came, taken or not."""

    def age(self, now: float) -> float | None:
        """Seconds since the newest observation arrived; None where there is none."""
        return None if self._observed_at is None else now - self._observed_at

    def is_within(self, timeout: float, now: float) -> bool:
        """Whether there is an observation that arrived at most `timeout` seconds ago."""
        age = self.age(now)
        return age is not None and age <= timeout

    def goes_stale(self, timeout: float, now: float) -> bool:
        """Whether the newest observation is now older than `timeout` seconds: true once each."""
        if self._observed_at is None or self.is_within(timeout, now):
            return False
        self._observed_at = None
        return True

    def blind(self) -> None:
        """Drops the newest observation, so that it is not acted on any more."""
        self.newest = None

    def jumped_back(self, now: float) -> bool:
        """Records the time; whether it went backwards, which makes every age meaningless."""
        jumped = now < self._now
        if jumped:
            self.newest = self._observed_at = self._newest_stamp = self._heard_stamp = None
        self._now = now
        return jumped

    def is_repeated(self, observation: Observation) -> bool:
        """Whether `observation` has the name of the newest one, and so repeats it."""
        newest = self.newest
        return newest is not None and bool(newest.label) and observation.label == newest.label

    def take(self, observation: Observation, now: float, oldest: float) -> Verdict:
        """Takes an observation that arrives `now`, unless it is older than one before.

        An observation whose stamp is more than `oldest` seconds away from `now` is late, and not
        taken.
        """
        stamp = observation.stamp
        if stamp is not None:
            if not self._is_new(stamp):
                return "reordered"
            if abs(now - stamp) > oldest:
                return "late"
            self._newest_stamp = stamp
        self.newest, self._observed_at = observation, now
        self.time = now if stamp is None else stamp
        return "taken"

    def _is_new(self, stamp: float) -> bool:
        """Whether an observation of that stamp is newer than all before.

        After a fault a restarted sensor may begin with older stamps; a repeated stamp is not new.
        """
        heard, self._heard_stamp = self._heard_stamp, stamp
        if self._newest_stamp is None or stamp > self._newest_stamp:
            return True
        return self.newest is None and heard is not None and stamp > heard
