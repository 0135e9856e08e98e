"""Scores of several runs on several tasks, in one number and how sure it is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from rliable import library, metrics


class Interval(NamedTuple):
    """An interquartile mean with its 95 % interval; no interval of a single run."""

    iqm: float
    low: float | None
    high: float | None


def interquartile_mean(scores: np.ndarray, *, reps: int = 2000, seed: int = 0) -> Interval:
    """Over scores `(runs, tasks)`, with a stratified bootstrap over the runs.

    Agarwal and others, 2021 (arXiv 2108.13264), by their library.
    """
    iqm = float(metrics.aggregate_iqm(scores))
    if len(scores) < 2:
        return Interval(iqm, None, None)
    # It draws from numpy's global generator, whatever generator it is given.
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
