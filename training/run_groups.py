"""Which training runs are seeds of one thing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fb_ros.command import Result
from fb_ros.errors import FbRosError
from training.topline import ALGORITHM as TOPLINE


def group_runs(runs: Mapping[Path, Result]) -> dict[Path, str]:
    """A label for each run, the same for those that differ in nothing but their seed.

    It is the algorithm, and what else tells the run from others of that algorithm: settings, data
    or updates. Refuses two runs of one label and seed, since they are no two samples.
    """
    labels = {}
    for algorithm in {_algorithm(run, folder) for folder, run in runs.items()}:
        same = {f: _facts(r) for f, r in runs.items() if _algorithm(r, f) == algorithm}
        names = sorted({name for facts in same.values() for name in facts})
        varied = [n for n in names if len({repr(f.get(n)) for f in same.values()}) > 1]
        for folder, facts in same.items():
            labels[folder] = ", ".join([algorithm, *(f"{n} {facts.get(n)}" for n in varied)])
    seen: dict[tuple[Any, ...], Path] = {}
    for folder, run in runs.items():
        key = (labels[folder], run["seed"], run.get("task"))
        if key in seen:
            raise FbRosError(
                f"{seen[key]} and {folder} are the same training with seed {run['seed']}; name one"
            )
        seen[key] = folder
    return {folder: labels[folder] for folder in runs}


def _algorithm(run: Result, folder: Path) -> str:
    try:
        return TOPLINE if run.get("algorithm") == TOPLINE else str(run["agent"]["algorithm"])
    except (KeyError, TypeError) as error:
        raise FbRosError(
            f"{folder} is not of this version of fb_ros ({error}); train anew"
        ) from error


def _facts(run: Result) -> dict[str, Any]:
    """What makes a training another one; a topline has a run for each task."""
    data = str(run["data"]["fingerprint"])[:8]
    return {**run["agent"], "updates": run.get("updates"), "data": data}
