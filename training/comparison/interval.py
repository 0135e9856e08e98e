"""Scores of several runs on several tasks as one number with its uncertainty."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rliable import library, metrics


class Interval(NamedTuple):
    """An interquartile mean with its 95 % interval; a single run has no interval."""

    iqm: float
    low: float | None
    high: float | None


def interquartile_mean(scores: np.ndarray, *, reps: int = 2000, seed: int = 0) -> Interval:
    """The mean over scores `(runs, tasks)`, with a stratified bootstrap over the runs.

    Computed by the library of Agarwal and others, 2021 (arXiv 2108.13264).
    """
    iqm = float(metrics.aggregate_iqm(scores))
    if len(scores) < 2:
        return Interval(iqm, None, None)
    # The library draws from numpy's global generator, whichever generator it is given.
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        _, intervals = library.get_interval_estimates(
            {"scores": scores}, lambda part: np.array([metrics.aggregate_iqm(part)]), reps=reps
        )
    finally:
        np.random.set_state(before)
    (low,), (high,) = intervals["scores"]
    return Interval(iqm, float(low), float(high))
