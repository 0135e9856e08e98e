"""Training's speed in this checkout beside another one's, in turns on the same machine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from fb_ros.errors import FbRosError
from sim.progress import progress_bar
from training.benchmarks.checkout import HERE, command_in, require_checkout

Rows = Sequence[Mapping[str, object]]

# What makes two rows the same case, and what is measured.
_KEYS, _RATE = ("case", "hidden", "batch", "blocks", "precision"), "per_s"


def benchmark_against(
    other: Path, pairs: int, repeats: int, threads: int
) -> list[dict[str, object]]:
    """Returns a row for each case that both checkouts time, with the ratio of their rates.

    Each pair runs the other checkout first, then this one, in this Python environment.

    Raises:
        FbRosError: `other` is no checkout of fb_ros, or its benchmark fails.
    """
    require_checkout(other)
    runs = [
        (_run(other.resolve(), repeats, threads), _run(HERE, repeats, threads))
        for _ in progress_bar(range(pairs), title="training, in pairs", unit="pair")
    ]
    return paired(runs)


def paired(runs: Sequence[tuple[Rows, Rows]]) -> list[dict[str, object]]:
    """A row for each case that every run has: the median rates, and the median ratio of a pair."""
    rates: dict[tuple[object, ...], list[tuple[float, float]]] = {}
    for others, ours in runs:
        before, now = _rates(others), _rates(ours)
        for case in before:
            if case in now:
                rates.setdefault(case, []).append((before[case], now[case]))
    return [
        {
            **dict(zip(_KEYS, case, strict=True)),
            "other_per_s": median(other for other, _ in both),
            "per_s": median(own for _, own in both),
            "ratio": median(own / other for other, own in both),
            "least_ratio": min(own / other for other, own in both),
            "pairs": len(both),
        }
        for case, both in rates.items()
        if len(both) == len(runs)
    ]


def _rates(rows: Rows) -> dict[tuple[object, ...], float]:
    return {
        tuple(row.get(key) for key in _KEYS): float(str(row[_RATE]))
        for row in rows
        if _RATE in row
    }


def _run(root: Path, repeats: int, threads: int) -> Rows:
    """The rows of `fb_ros benchmark training` of the checkout at `root`."""
    words = ["benchmark", "training", "--json", "--repeats", str(repeats)]
    # The earliest checkouts always take two threads, and have no option for it.
    if threads != 2:
        words += ["--threads", str(threads)]
    done = subprocess.run(**command_in(root, words), capture_output=True, text=True)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason"])[-1]
        raise FbRosError(f"the benchmark of {root} failed: {reason}")
    rows: Rows = json.loads(done.stdout.splitlines()[-1])["rows"]
    return rows
