"""Rewards that a robot, or its twin, earned under some encodings, and words for a person."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.objective import Objective

# A forecast below this share of the way from the mean of the data to the best is poor.
_POOR = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """The outcome of trying an inference's proposals."""

    best: int = 0
    """Index of the proposal that earned most."""
    earned: float = 0.0
    """Mean reward under the best proposal once there, in the units that the person typed."""
    first_earned: float = 0.0
    """Mean reward under the first proposal, as far as it was tried."""
    share: float = 0.0
    """`earned` on a scale from the mean over the data, 0, to the best of them, 1."""
    tried: int = 0
    """How many proposals were tried."""
    seconds: float = 0.0
    """Wall time of the trial, in seconds."""


def after_trial(inference: Inference, trial: Trial) -> Inference:
    """The inference with the proposal that earned most, and its earned reward as the forecast."""
    proposals, objective = inference.proposals, inference.objective
    assert proposals is not None
    assert objective is not None
    figures = {"predicted_reward": trial.earned, "predicted_share": trial.share}
    return dataclasses.replace(
        inference,
        z=proposals[trial.best],
        figures={**inference.figures, **figures},
        forecast_warnings=poor_forecast(objective, trial.earned / objective.unit, "the twin saw"),
    )


def poor_forecast(objective: Objective, reward: float, who: str) -> tuple[str, ...]:
    """A warning if a `reward`, in the objective's unit, is low beside the best of the data."""
    if float(objective.share(np.asarray(reward))) >= _POOR:
        return ()
    shown, best, mean = (
        f"{value * objective.unit:.3g}" for value in (reward, objective.best, objective.mean)
    )
    return (
        f"it will do badly: {who} a reward of {shown}, where the best of the data is {best} and "
        f"their mean {mean}",
    )
