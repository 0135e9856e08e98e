"""Refusing stamps of several computers of which one sets its clock during the recording."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from fb_ros.errors import FbRosError
from training.data.bags.tracks import Track

# Share of a period by which a topic's stamps may be set unnoticed.
_UNNOTICED = 0.25
# Share of its step by which the steps of a topic with a period of its own deviate at most.
_REGULAR = 0.1
# Share of messages that lie behind a later one from which on a file has no order.
_MIXED = 0.1
# Times its usual deviation by which the delay of a message has to deviate.
_ODD = 4.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Delays:
    """How long after its stamp each message of a topic was received."""

    track: Track
    """The messages with a stamp, in the order of `places`."""
    places: np.ndarray
    """Where each message lies among those of all topics, `(n,)`."""
    seconds: np.ndarray
    """Less the delay of the first message, `(n,)`."""

    def change(self, before: int, after: int) -> float:
        """Change of the delay from the last message before one place to the first after another;
        from the first message, or to the last, where there is none beyond."""
        first = max(int(np.searchsorted(self.places, before)) - 1, 0)
        last = int(np.searchsorted(self.places, after, side="right"))
        return float(self.seconds[min(last, len(self.track) - 1)] - self.seconds[first])


def require_one_clock(tracks: Sequence[Track], period: float) -> None:
    """Refuses tracks of which some are stamped by a clock that was set, and others are not.

    From there on their stamps do not say which samples belong together. A message that is received
    late is no such case: its stamp is a multiple of the topic's own period after the one before.
    """
    delays = list(_delays(tracks))
    for one in delays:
        track = one.track
        for place in _set_at(one, period):
            change = float(one.seconds[place] - one.seconds[place - 1])
            before, after = int(one.places[place - 1]), int(one.places[place])
            for other in delays:
                if abs(other.change(before, after) - change) <= _UNNOTICED * period:
                    continue
                way = "back" if change > 0.0 else "forward"
                raise FbRosError(
                    f"{track.topic}: its stamps are set {way} by {abs(change):.3g} s against the "
                    f"bag's time at {track.received[place] * 1e-9:.3f} s, and those of "
                    f"{other.track.topic} are not; write `times: receive` into the mapping, or "
                    "cut the bag there"
                )


def _delays(tracks: Sequence[Track]) -> Iterator[_Delays]:
    """The delays of each topic, once."""
    topics = {track.topic: track for track in tracks if track.has_stamps}.values()
    stamped = [track.take(track.stamped != 0) for track in topics]
    # In a file without any order, only the times of receiving say what came after what.
    mixed = any(
        np.mean(np.diff(given.received) < 0) > _MIXED for given in stamped if len(given) > 1
    )
    for given in stamped:
        if mixed:
            given = given.take(np.argsort(given.received, kind="stable"))
        # Subtracting integers keeps the precision.
        nanoseconds = given.received - given.stamped
        places = given.received if mixed else given.order
        yield _Delays(track=given, places=places, seconds=(nanoseconds - nanoseconds[0]) * 1e-9)


def _set_at(one: _Delays, period: float) -> np.ndarray:
    """The messages from which on the stamps of a topic go by another clock than before."""
    received, stamped = np.diff(one.track.received) * 1e-9, np.diff(one.track.stamped) * 1e-9
    change = np.diff(one.seconds)
    by_bag, by_stamp = _oddity(received), _oddity(stamped)
    # Of a topic without a period, nobody can tell late messages from stamps that were set.
    if not len(change) or np.median(by_stamp[0]) > _REGULAR * np.median(np.abs(stamped)):
        return np.zeros(0, np.int64)
    tolerance = max(_UNNOTICED * period, _ODD * float(np.median(np.abs(change))))
    # One message with a wrong stamp is no clock that was set.
    lasts = np.abs(one.seconds[2:] - one.seconds[1:-1]) <= tolerance
    odd = (np.abs(change) > tolerance) & np.append(lasts, False)
    regular = np.maximum(by_bag[0], by_stamp[0]) <= _UNNOTICED * period
    odd &= np.where(regular, by_stamp[1] > by_bag[1], by_stamp[0] > by_bag[0])
    return np.flatnonzero(odd) + 1


def _oddity(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each step is from a multiple of the usual one, and from the usual one, seconds."""
    ahead = steps[steps > 0.0]
    if not len(ahead):
        return np.abs(steps), np.abs(steps)
    usual = float(np.median(ahead))
    return np.abs(steps - usual * np.maximum(np.round(steps / usual), 1.0)), np.abs(steps - usual)
