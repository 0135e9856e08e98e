"""Grouping training runs that differ only in their seed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fb_ros.command import Result
from fb_ros.errors import FbRosError
from training.agents.topline_actor import TOPLINE
from training.runs.run_record import of_this_version


def group_runs(runs: Mapping[Path, Result]) -> dict[Path, str]:
    """A label for each run, the same for runs that differ only in their seed.

    The label is the algorithm, and the settings, data or updates in which the run differs from
    others of that algorithm. Refuses two runs with the same label and seed, since they are not two
    samples.
    """
    algorithms = {folder: _algorithm(run, folder) for folder, run in runs.items()}
    facts = {folder: _facts(run) for folder, run in runs.items()}
    labels: dict[Path, str] = {}
    seen: dict[tuple[Any, ...], Path] = {}
    for folder, run in runs.items():
        same = [facts[other] for other in runs if algorithms[other] == algorithms[folder]]
        mine = facts[folder]
        names = sorted({name for one in same for name in one})
        varied = [name for name in names if any(one.get(name) != mine.get(name) for one in same)]
        labels[folder] = ", ".join([algorithms[folder], *(f"{n} {mine.get(n)}" for n in varied)])
        key = (labels[folder], run["seed"], run.get("task"))
        if key in seen:
            raise FbRosError(
                f"{seen[key]} and {folder} are the same training with seed {run['seed']}; name one"
            )
        seen[key] = folder
    return labels


def _algorithm(run: Result, folder: Path) -> str:
    with of_this_version(folder):
        return TOPLINE if run.get("algorithm") == TOPLINE else str(run["agent"]["algorithm"])


def _facts(run: Result) -> dict[str, Any]:
    """The facts that distinguish trainings; a topline has a run for each task."""
    data = str(run["data"]["fingerprint"])[:8]
    return {**run["agent"], "updates": run.get("updates"), "data": data}
