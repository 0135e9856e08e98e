"""Figures of reaching, the same for every way of running an episode."""

from __future__ import annotations

from typing import Any

import numpy as np

from fb_ros.robot.robot_spec import RobotSpec
from sim.tasks.tasks import ReachTask


def reach_figures(task: ReachTask, distances: np.ndarray) -> dict[str, Any]:
    """Success, return and error over episodes; `distances` `(episodes, steps)` are after each
    step.

    An episode succeeds when its mean distance over the last second is below the goal radius.
    """
    final = final_errors(task.spec, distances)
    return {
        "success": float(np.mean(final < task.spec.goal_radius)),
        "mean_return": float(np.mean(task.reward(distances).sum(axis=1))),
        "median_final_error_m": float(np.median(final)),
        "episodes": len(distances),
    }


def final_errors(spec: RobotSpec, distances: np.ndarray) -> np.ndarray:
    """Mean distance over the last second of each episode, `(episodes,)`."""
    errors: np.ndarray = distances[:, -round(1.0 / spec.ctrl_dt) :].mean(axis=1)
    return errors
