"""The clock of a recording: header stamps, or the times of receiving."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

import numpy as np

from fb_ros.errors import FbRosError
from training.data.bags.mapping import Times
from training.data.bags.tracks import Track
from training.data.findings import Findings

Clock = Literal["header", "receive"]
# Clocks of real machines differ by far less; simulations that fall behind differ by more.
_RATE_TOLERANCE = 0.02
# Times its usual step by which a clock has been set, or nothing was heard.
_TORN = 3.0
# Share of its usual step by which two clocks may differ from their rate between two messages.
_APART = 0.25
# Steps from which the rate is taken: few, since a simulation does not keep its speed.
_AROUND = 9


@dataclasses.dataclass(frozen=True, kw_only=True)
class Timed:
    """A track with times by the chosen clock."""

    track: Track
    """The samples in the order of time."""
    times: np.ndarray
    """Seconds since the beginning of the run, not decreasing, `(n,)`."""
    check: np.ndarray | None
    """Seconds by the other clock, if it is usable, `(n,)`."""

    def nearest(self, instants: np.ndarray) -> np.ndarray:
        """Index of the samples closest to `instants` `(m,)`."""
        return np.searchsorted(0.5 * (self.times[1:] + self.times[:-1]), instants)

    def held(self, instants: np.ndarray) -> np.ndarray:
        """Index of the newest samples at `instants` `(m,)`, -1 before any."""
        return np.searchsorted(self.times, instants, side="right") - 1

    def silence(self, instants: np.ndarray) -> np.ndarray:
        """Seconds between the samples before and after each of `instants`, `(m,)`."""
        ends = np.concatenate([[-np.inf], self.times, [np.inf]])
        place = np.searchsorted(self.times, instants, side="right")
        return np.asarray(ends[place + 1] - ends[place])


def choose_clock(tracks: Sequence[Track], times: Times, found: Findings) -> Clock:
    """Chooses header stamps if every track has them, unless the mapping says otherwise."""
    stamped = [track for track in tracks if track.has_stamps]
    if times == "header" and not stamped:
        topics = ", ".join(sorted({track.topic for track in tracks}))
        raise FbRosError(f"no message on {topics} has a header stamp; `times: header` needs some")
    if times == "receive" or (times == "auto" and len(stamped) < len(tracks)):
        clock: Clock = "receive"
    else:
        clock = "header"
    lacking = sum(int(np.sum(track.stamped == 0)) for track in stamped)
    if lacking and clock == "header":
        found.add(
            "left_out", f"{lacking} messages left out: their header stamp is 0", count=lacking
        )
    return clock


def compare_rates(
    runs: Sequence[Sequence[Track]], clock: Clock, times: Times, period: float, found: Findings
) -> None:
    """Compares stamps with times of receiving; refuses to guess if they run apart.

    A span counts if neither clock is silent for long in it, so that pauses and jumps do not
    matter.
    """
    if times == "receive":
        return
    for tracks in runs:
        for track in tracks:
            if not track.has_stamps or len(track) < 3:
                continue
            by_bag, by_stamp = np.diff(track.received) * 1e-9, np.diff(track.stamped) * 1e-9
            usual = 10.0 * max(period, float(np.median(np.abs(by_stamp))))
            both = (by_bag > 0) & (by_stamp > 0) & (by_bag < usual) & (by_stamp < usual)
            received, stamped = float(by_bag[both].sum()), float(by_stamp[both].sum())
            apart = abs(received - stamped)
            if apart <= max(_RATE_TOLERANCE * stamped, 1.5 * period):
                continue
            text = (
                f"{track.topic}: stamps run over {stamped:.3f} s while the bag's times run over "
                f"{received:.3f} s"
            )
            if clock == "header":
                found.add("clock", f"{text}; stamps were taken", topic=track.topic)
                continue
            raise FbRosError(
                f"{text}, as of a simulation at another speed, and not every topic is stamped; "
                "write `times: header` into the mapping, and topics without stamps are placed "
                "among the others, or `times: receive`"
            )


def on_clock(tracks: Sequence[Track], clock: Clock, times: Times, found: Findings) -> list[Timed]:
    """The tracks of one run by the chosen clock, each in the order of time."""
    reference = max((track for track in tracks if track.has_stamps), key=len, default=None)
    origin = 0
    if len(tracks):
        origin = min(int(track.received[0]) for track in tracks if len(track))
    if clock == "header" and reference is not None:
        origin = int(reference.stamped[reference.stamped != 0][0])
    return [_timed(track, clock, times, reference, origin, found) for track in tracks]


def _timed(
    track: Track,
    clock: Clock,
    times: Times,
    reference: Track | None,
    origin: int,
    found: Findings,
) -> Timed:
    if clock == "header":
        if not track.has_stamps:
            instants = _placed(track.received, reference, origin)
            track, instants = track.take(~np.isnan(instants)), instants[~np.isnan(instants)]
        else:
            track = _of_one_stamp(track.take(track.stamped != 0), found)
            instants = (track.stamped - origin) * 1e-9
        check = None
    else:
        instants = (track.received - origin) * 1e-9
        stamped = track.has_stamps and times == "auto"
        # Subtracting integers keeps the precision of stamps from another epoch.
        first = int(track.stamped[track.stamped != 0][0]) if stamped else 0
        check = np.where(track.stamped == 0, np.nan, (track.stamped - first) * 1e-9)
        check = check if stamped else None
    order = np.argsort(instants, kind="stable")
    return Timed(
        track=track.take(order),
        times=instants[order],
        check=None if check is None else check[order],
    )


def _placed(received: np.ndarray, reference: Track | None, origin: int) -> np.ndarray:
    """Stamps for messages without any, from the times at which their neighbours were received."""
    if reference is None:
        return (received - (received[0] if len(received) else 0)) * 1e-9
    given = reference.stamped != 0
    base = int(reference.received[given][0])
    known = (reference.received[given] - base) * 1e-9
    stamps = (reference.stamped[given] - origin) * 1e-9
    order = np.argsort(known, kind="stable")
    known, stamps = known[order], stamps[order]
    asked = (received - base) * 1e-9
    # Beyond the ends both clocks are assumed to run at the same rate.
    beyond = np.minimum(asked - known[0], 0.0) + np.maximum(asked - known[-1], 0.0)
    placed = np.interp(asked, known, stamps) + beyond
    # Where one of the clocks was set between two neighbours, no line leads from one to the other.
    steps = np.stack([np.diff(known), np.diff(stamps)])
    usual = np.median(np.abs(steps), axis=1, keepdims=True) if steps.size else steps
    torn = np.any((steps < 0.0) | (steps > _TORN * usual), axis=0)
    # A message may lie on the wrong side of such a step, by as much as the clocks differ there.
    apart = np.abs(steps[0] - steps[1] * _local_rate(*steps))
    torn |= apart > _APART * usual[0]
    margin = np.fmin(apart, usual[0])[torn]
    begun = np.sort(known[:-1][torn] - margin)
    ended = np.sort(known[1:][torn] + margin)
    in_doubt = np.searchsorted(begun, asked, side="right") > np.searchsorted(ended, asked)
    placed[in_doubt] = np.nan
    return np.asarray(placed)


def _local_rate(received: np.ndarray, stamped: np.ndarray) -> np.ndarray:
    """Seconds received for each second stamped, around each step, `(n,)`."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = received / stamped
    if len(rate) <= _AROUND:
        return np.full(len(rate), np.median(rate)) if len(rate) else rate
    windows = np.lib.stride_tricks.sliding_window_view(rate, _AROUND)
    middle = np.median(windows, axis=1)
    return np.pad(middle, (_AROUND // 2, _AROUND - 1 - _AROUND // 2), mode="edge")


def _of_one_stamp(track: Track, found: Findings) -> Track:
    """Leaves out samples that share a stamp but differ: nobody can tell which one is right."""
    order = np.argsort(track.stamped, kind="stable")
    stamps, values = track.stamped[order], track.values[order]
    same = np.diff(stamps) == 0
    if not same.any():
        return track
    differ = same & np.any(values[1:] != values[:-1], axis=1)
    wrong = np.isin(track.stamped, stamps[1:][differ])
    if wrong.any():
        found.add(
            "left_out",
            f"{track.topic}: {int(wrong.sum())} messages left out: they share a stamp with one of "
            f"other numbers ({track.source})",
            topic=track.topic,
            count=int(wrong.sum()),
        )
    return track.take(~wrong)
