"""Summary of the runs of each algorithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from training.comparison.interval import interquartile_mean
from training.comparison.run_returns import WEIGHTS


def summary(rows: list[dict[str, Any]], steps: dict[str, int]) -> list[dict[str, Any]]:
    """For each algorithm and its last and best weights: returns by task, and the mean of scores.

    `steps` are those of each task's episodes. A score is a return divided by the largest possible
    one, from 0 to 1.
    """
    entries = []
    for algorithm in dict.fromkeys(row["algorithm"] for row in rows):
        for weights in WEIGHTS:
            mine = [
                row for row in rows if (row["algorithm"], row["weights"]) == (algorithm, weights)
            ]
            # A topline has a run for each task; runs with the same seed count as one agent.
            seeds = sorted({row["seed"] for row in mine})
            by_task = {
                name: [row["return"] for row in mine if row["task"] == name] for name in steps
            }
            entry: dict[str, Any] = {
                "algorithm": algorithm,
                "weights": weights,
                "runs": len(seeds),
                "returns": {
                    name: float(np.mean(values)) for name, values in by_task.items() if values
                },
            }
            if all(len(values) == len(seeds) for values in by_task.values()):
                scores = np.stack(
                    [np.array(by_task[name]) / count for name, count in steps.items()], axis=1
                )
                entry |= interquartile_mean(scores)._asdict()
            entries.append(entry)
    return entries
