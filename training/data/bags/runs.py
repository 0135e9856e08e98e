"""Finding where a recording's clock went back, and where messages are only out of order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from training.data.bags.tracks import Track
from training.data.findings import Findings

# In two runs that overlap, samples somewhere lie closer than half a period; in one run with
# messages out of order they do not. The margin is for jitter.
_CLOSEST = 0.6
# A silence of this many nanoseconds means that a clock was set.
_JUMP = 86400 * 10**9
# Share of samples with the previous sample's time above which the clock is coarse.
_COARSE = 0.1


def find_runs(tracks: Iterable[Track], found: Findings) -> list[tuple[int, int]]:
    """Ranges of message numbers `(first, end)` within which no clock went back.

    If a topic's times go back and its samples would lie among earlier ones, a simulation was reset
    or a clock was set, and each step back of that topic is a cut. If all fall into gaps, messages
    are only out of order, and there is no cut.
    """
    needed: dict[int, str] = {}
    topic_of: dict[int, str] = {}
    end = 0
    for track in tracks:
        if not len(track):
            continue
        end = max(end, int(track.order[-1]) + 1)
        clocks = {"bag time": (track, track.received)}
        if track.has_stamps:
            given = track.take(track.stamped != 0)
            clocks["stamp"] = (given, given.stamped)
        for clock, (samples, times) in clocks.items():
            _report_jumps(track.topic, clock, times, found)
            order, back = samples.order, _steps_back(times, samples.values)
            if not len(back):
                continue
            places = _conflicts(times, back)
            for place in places:
                text = f"{track.topic}: its {clock} goes back {_from_to(times, place)}"
                needed.setdefault(int(order[place]), text)
                topic_of[int(order[place])] = track.topic
            if len(places) < len(back):
                found.add(
                    "order",
                    f"{track.topic}: {len(back) - len(places)} times a message lies behind a "
                    f"later one by its {clock}; they were put in order",
                    topic=track.topic,
                    count=len(back) - len(places),
                )
    borders = [0]
    for cluster in _neighbours(sorted(needed)):
        # Topics that go back one right after the other go back together, each of them once.
        together = len({topic_of[place] for place in cluster}) == len(cluster)
        for place in cluster[:1] if together else cluster:
            borders.append(place)
            found.add("clock", f"{needed[place]}; an episode ends there")
    return list(itertools.pairwise([*borders, end]))


def _neighbours(places: Sequence[int]) -> list[list[int]]:
    """Runs of places that follow one another."""
    clusters: list[list[int]] = []
    for place in places:
        if clusters and clusters[-1][-1] == place - 1:
            clusters[-1].append(place)
        else:
            clusters.append([place])
    return clusters


def _report_jumps(topic: str, clock: str, times: np.ndarray, found: Findings) -> None:
    for place in np.flatnonzero(np.diff(times) > _JUMP) + 1:
        text = f"{topic}: its {clock} jumps {_from_to(times, int(place))}; an episode ends there"
        found.add("clock", text, topic=topic)


def _from_to(times: np.ndarray, place: int) -> str:
    return f"from {times[place - 1] * 1e-9:.3f} s to {times[place] * 1e-9:.3f} s"


def without_repeats(track: Track) -> Track:
    """Leaves out what is in the bag twice: the same numbers at the same times."""
    order = np.lexsort((track.order, track.stamped, track.received))
    same = (np.diff(track.received[order]) == 0) & (np.diff(track.stamped[order]) == 0)
    if not same.any():
        return track
    values = track.values[order]
    same &= np.all(values[1:] == values[:-1], axis=1)
    keep = np.ones(len(track), dtype=bool)
    keep[order[1:][same]] = False
    return track.take(keep)


def _steps_back(times: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Places whose time is before the previous sample's, or equal to it with other numbers.

    With a clock coarser than the topic, samples of the same time follow one another.
    """
    steps = np.diff(times)
    still = (steps == 0) & np.any(values[1:] != values[:-1], axis=1)
    if still.sum() > _COARSE * len(steps):
        still[:] = False
    return np.flatnonzero((steps < 0) | still) + 1


def _conflicts(times: np.ndarray, back: np.ndarray) -> Sequence[int]:
    """The steps in `back` after which samples lie among earlier ones."""
    order = np.argsort(times, kind="stable")
    steps = np.diff(times)
    mixed = 4 * len(back) > len(times)
    if mixed:  # Only the sorted times show the topic's rate.
        steps = np.diff(times[order])
        usual = np.median(steps)
        if np.mean(np.abs(steps - usual) <= 0.2 * usual) < 0.9:
            return [int(place) for place in back]
    ahead = steps[steps > 0]
    closest = _CLOSEST * float(np.median(ahead)) if len(ahead) else 0.0
    piece = np.searchsorted(back, order, side="right")
    if not np.any((np.diff(piece) != 0) & (np.diff(times[order]) < closest)):
        return ()
    # A clock was set somewhere, so a sample that falls into a gap may be of another run, too.
    return [int(place) for place in back]
