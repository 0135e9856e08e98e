"""Reading thousands of damaged files: the outcome of each, the time, and the memory."""

from __future__ import annotations

import multiprocessing
import resource
import tempfile
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import NamedTuple

import numpy as np

from training.benchmarks.damage_trials import TRIALS

_BATCH = 250
# Number of files of each kind in a whole benchmark, as a share of `repeats` 1000.
_SHARES = {"description": 0.5, "npz": 1.0, "hdf5": 1.0}
_FEWER = 1 / 6
_MOST_MB, _LONGEST_S = 1024.0, 10.0


class Batch(NamedTuple):
    """The outcomes of several trials."""

    outcomes: Counter[str]
    """`read`, `refused`, `wrong` or `traceback`."""
    longest_s: float
    rss_mb: float
    """Largest memory that the process took, imports included."""
    first: str
    """The first traceback, if there is any."""


def benchmark_damage(repeats: int) -> list[dict[str, object]]:
    """Returns a row for each kind of file, with `repeats` damaged ones of npz and of HDF5."""
    rows: list[dict[str, object]] = []
    for name in TRIALS:
        count = max(1, round(repeats * _SHARES.get(name, _FEWER)))
        batches, crashes = _batches(name, count)
        outcomes: Counter[str] = sum((batch.outcomes for batch in batches), Counter())
        longest = max((batch.longest_s for batch in batches), default=0.0)
        memory = max((batch.rss_mb for batch in batches), default=0.0)
        faults = outcomes["traceback"] + outcomes["wrong"] + crashes
        first = next((batch.first for batch in batches if batch.first), "")
        rows.append(
            {
                "case": name,
                "files": count,
                "refused": outcomes["refused"],
                "read": outcomes["read"],
                "wrong": outcomes["wrong"],
                "tracebacks": outcomes["traceback"],
                "crashes": crashes,
                "max_s": longest,
                "rss_mb": memory,
                "ok": not faults and longest < _LONGEST_S and memory < _MOST_MB,
                **({"first": first} if first else {}),
            }
        )
    return rows


def run_batch(name: str, first: int, count: int) -> Batch:
    """Runs the trials `first` to `first + count` of a kind; each has its own generator."""
    outcomes: Counter[str] = Counter()
    longest, problem = 0.0, ""
    with tempfile.TemporaryDirectory() as folder:
        trial = TRIALS[name](Path(folder))
        for seed in range(first, first + count):
            started = time.perf_counter()
            try:
                outcomes[trial(np.random.default_rng(seed))] += 1
            except Exception:
                outcomes["traceback"] += 1
                problem = problem or f"trial {seed}: " + traceback.format_exc()[-600:]
            longest = max(longest, time.perf_counter() - started)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return Batch(outcomes, longest, memory, problem)


def _batches(name: str, count: int) -> tuple[list[Batch], int]:
    """Runs the batches in separate processes, which a file may crash."""
    found, crashes = [], 0
    for first in range(0, count, _BATCH):
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=context) as pool:
            try:
                found.append(
                    pool.submit(run_batch, name, first, min(_BATCH, count - first)).result()
                )
            except BrokenProcessPool:
                crashes += 1
    return found, crashes
