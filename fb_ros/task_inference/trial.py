"""Rewards that a robot, or its twin, earned under some encodings, and words for a person."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.objective import Objective

# A forecast below this share of the way from the mean of the data to the best is a poor one.
_POOR = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Trial:
    """The outcome of trying an inference's proposals."""

    best: int = 0
    """The number of the one that earned most."""
    earned: float = 0.0
    """Mean reward under it once there, as the person counts it."""
    first_earned: float = 0.0
    """The same of the first proposal, as far as that was tried."""
    share: float = 0.0
    """`earned` between the mean over the data, 0, and the best of them, 1."""
    tried: int = 0
    """How many were tried."""
    seconds: float = 0.0
    """Wall seconds that it took."""


def after_trial(inference: Inference, trial: Trial) -> Inference:
    """The inference with the proposal that earned most, and what that earned as its forecast."""
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
    """A warning where a `reward`, in the objective's unit, is low beside the best of the data."""
    if float(objective.share(np.asarray(reward))) >= _POOR:
        return ()
    shown, best, mean = (
        f"{value * objective.unit:.3g}" for value in (reward, objective.best, objective.mean)
    )
    return (
        f"it will do badly: {who} a reward of {shown}, where the best of the data is {best} and "
        f"their mean {mean}",
    )
