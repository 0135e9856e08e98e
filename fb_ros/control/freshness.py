"""The newest observation: how old it is, and whether one that comes is newer."""

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
        """The observation to act on; None after a sensor fault, until the next observation."""
        self.time = 0.0
        """Its stamp, or its arrival where it has none: the time that the cadence goes by."""
        self._now = -math.inf
        self._observed_at: float | None = None
        self._newest_stamp: float | None = None
        """Of the newest observation that was taken, also when it is too old by now."""
        self._heard_stamp: float | None = None
        """Of the last one that came, taken or not."""

    def age(self, now: float) -> float | None:
        """Seconds since the newest observation arrived; None where there is none to speak of."""
        return None if self._observed_at is None else now - self._observed_at

    def is_within(self, timeout: float, now: float) -> bool:
        """Whether there is an observation that arrived at most `timeout` seconds ago."""
        age = self.age(now)
        return age is not None and age <= timeout

    def goes_stale(self, timeout: float, now: float) -> bool:
        """Whether the newest one has become older than `timeout` seconds: true once for each."""
        if self._observed_at is None or self.is_within(timeout, now):
            return False
        self._observed_at = None
        return True

    def blind(self) -> None:
        """Earlier observations are not acted on any more."""
        self.newest = None

    def jumped_back(self, now: float) -> bool:
        """Takes note of the time; whether it went backwards, which makes every age meaningless."""
        jumped = now < self._now
        if jumped:
            self.newest = self._observed_at = self._newest_stamp = self._heard_stamp = None
        self._now = now
        return jumped

    def is_repeated(self, observation: Observation) -> bool:
        """Whether it is the newest one once more, by its name."""
        newest = self.newest
        return newest is not None and bool(newest.label) and observation.label == newest.label

    def take(self, observation: Observation, now: float, oldest: float) -> Verdict:
        """Takes an observation that arrives `now`, unless it is older than one before.

        One whose stamp is more than `oldest` seconds away from `now` is late, and not taken.
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

        After a fault a sensor may begin with older ones, since it was restarted; one that
        repeats itself tells nothing new.
        """
        heard, self._heard_stamp = self._heard_stamp, stamp
        if self._newest_stamp is None or stamp > self._newest_stamp:
            return True
        return self.newest is None and heard is not None and stamp > heard
