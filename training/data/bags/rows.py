"""Rows of one control period each, from samples at arbitrary times."""

from __future__ import annotations

import bisect
import dataclasses
from collections.abc import Iterator, Sequence

import numpy as np

from training.data.bags.clock import Timed
from training.data.bags.clock_steps import doubtful_spans, outside

# Two samples are a period apart if they differ from it by at most this share.
_TOLERANCE = 0.5
# Share of the phase difference by which each row follows the samples.
_FOLLOWS = 0.1


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rows:
    """A stretch of the recording, one row per control period."""

    times: np.ndarray
    """Seconds, `(n,)`."""
    state: tuple[np.ndarray, ...]
    """Index of the sample of each state track, `(n,)`."""
    action: tuple[np.ndarray, ...]
    """Index of the sample of each action track that led to each row, `(n,)`."""
    linked: np.ndarray
    """Whether each row follows from the one before it, `(n,)`; the first one never does."""


def make_rows(
    state: Sequence[Timed], action: Sequence[Timed], period: float, longest: float | None
) -> Iterator[Rows]:
    """The stretches in which every state track has samples.

    Each row takes the sample closest to its instant. It follows from the row before if their
    samples are a period apart, by either clock, and if a command of that period is known. With
    `longest`, in seconds, the newest message remains valid for that long.
    """
    if not all(len(one.times) for one in (*state, *action)):
        return
    # With `longest`, topics may be as slow and as irregular as they like.
    spans = doubtful_spans((*state, *action) if longest is None else (), period)
    for start, stop in _stretches(state, longest or 3.0 * period, 0.5 * period):
        times = _instants(state[0].times, start, stop, period)
        index = tuple(one.nearest(times) for one in state)
        known = np.ones(len(times), dtype=bool)
        linked = np.ones(len(times), dtype=bool)
        for one, taken in zip(state, index, strict=True):
            near = np.abs(one.times[taken] - times) <= _TOLERANCE * period * (1.0 + 1e-6)
            if longest is None:
                known &= near
                for clock in (one.times, one.check):
                    if clock is not None:
                        step = np.diff(clock[taken])
                        # A missing stamp is not a period away from any other.
                        linked[1:] &= np.abs(step - period) <= _TOLERANCE * period
            else:
                known &= near | (one.silence(times) <= longest)
        linked[1:] &= known[1:] & known[:-1] & outside(times, spans)
        linked[:1] = False
        middle = times - 0.5 * period
        held = tuple(one.held(middle) for one in action)
        for one, taken in zip(action, held, strict=True):
            age = np.where(taken >= 0, middle - one.times[taken], np.inf)
            linked &= age <= _oldest(age, period, longest)
        yield Rows(times=times, state=index, action=held, linked=linked)


def _oldest(age: np.ndarray, period: float, longest: float | None) -> float:
    """Age at which a command no longer belongs to its period (s): the next one is missing."""
    if longest is not None:
        return longest
    age = age[np.isfinite(age)]
    # The phase of the commands within a period, which missing commands do not change.
    phase = float(np.angle(np.exp(2j * np.pi * age / period).sum()) / (2.0 * np.pi)) % 1.0
    if phase > 1.0 - 0.1 * _TOLERANCE and len(age) and np.median(age) < _TOLERANCE * period:
        phase = 0.0  # Just before the instant is the same as just after the previous one.
    return (phase + _TOLERANCE) * period


def _stretches(
    tracks: Sequence[Timed], longest: float, margin: float
) -> Iterator[tuple[float, float]]:
    """Intervals in which no track is silent for longer than `longest` seconds."""
    together = [(-np.inf, np.inf)]
    for one in tracks:
        breaks = np.flatnonzero(np.diff(one.times) > longest) + 1
        parts = np.split(one.times, breaks) if len(breaks) else [one.times]
        spoken = [(part[0] - margin, part[-1] + margin) for part in parts]
        together = list(_common(together, spoken))
    for start, stop in together:
        yield start + margin, stop - margin


def _common(
    first: Sequence[tuple[float, float]], second: Sequence[tuple[float, float]]
) -> Iterator[tuple[float, float]]:
    """The overlaps of the intervals of two sorted lists."""
    i = j = 0
    while i < len(first) and j < len(second):
        start, stop = max(first[i][0], second[j][0]), min(first[i][1], second[j][1])
        if start <= stop:
            yield start, stop
        if first[i][1] < second[j][1]:
            i += 1
        else:
            j += 1


def _instants(samples: np.ndarray, start: float, stop: float, period: float) -> np.ndarray:
    """Instants a period apart that follow the phase of `samples`, from `start` to `stop`.

    A sensor at the control rate of another clock would drift past a rigid grid, and be skipped or
    read twice while it jitters between two rows.
    """
    low, high = np.searchsorted(samples, [start - period, stop + period])
    given = samples[low:high].tolist()
    instants: list[float] = []
    at = start
    place = bisect.bisect_left(given, start - 0.5 * period)
    if place < len(given) and abs(given[place] - start) <= 0.5 * period:
        at = given[place]
    while at <= stop + 0.5 * period:
        instants.append(at)
        place = bisect.bisect_left(given, at)
        error = min(
            (one - at for one in given[max(place - 1, 0) : place + 1]), key=abs, default=period
        )
        if abs(error) <= 0.5 * period:
            at += _FOLLOWS * error
        at += period
    return np.array(instants)
