"""A plot of learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from fb_ros.command import Result
from fb_ros.errors import FbRosError

_SUFFIXES = (".png", ".svg")


def require_picture(path: Path) -> None:
    """Refuses a file that cannot become a picture, before hours of evaluation."""
    if path.suffix not in _SUFFIXES:
        raise FbRosError(f"{path} ends in {path.suffix!r}, expected {' or '.join(_SUFFIXES)}")
    if not path.parent.is_dir():
        raise FbRosError(f"{path.parent} is no folder; make it first")


def curves(runs: Sequence[tuple[str, Result]]) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For each label, the updates of its evaluations `(k,)` and their mean returns `(runs, k)`.

    Curves end where the shortest run of the label ends.
    """
    found: dict[str, list[list[tuple[float, float]]]] = {}
    for label, run in runs:
        points = [(row["update"], row["mean_return"]) for row in run.get("learning_curve", [])]
        found.setdefault(label, []).append(points)
    result = {}
    for label, seeds in found.items():
        shared = min(len(points) for points in seeds)
        numbers = np.array([points[:shared] for points in seeds]).reshape(len(seeds), shared, 2)
        if shared and np.any(numbers[:, :, 0] != numbers[0, :, 0]):
            raise FbRosError(f"the runs of {label} were evaluated after different updates")
        if shared:
            result[label] = (numbers[0, :, 0], numbers[:, :, 1])
    return result


def plot_curves(path: Path, runs: Sequence[tuple[str, Result]]) -> None:
    """Draws each label's mean return over its runs, and their range."""
    figure = Figure(figsize=(6.0, 3.6), layout="constrained")
    axes = figure.subplots()
    for label, (updates, returns) in curves(runs).items():
        (line,) = axes.plot(updates, returns.mean(0), label=f"{label} ({len(returns)} runs)")
        axes.fill_between(
            updates, returns.min(0), returns.max(0), color=line.get_color(), alpha=0.2
        )
    axes.set_xlabel("updates")
    axes.set_ylabel("mean return")
    axes.set_ylim(bottom=0.0)
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    try:
        figure.savefig(path, dpi=120)
    except OSError as error:
        raise FbRosError(f"{path} cannot be written: {error}") from error
