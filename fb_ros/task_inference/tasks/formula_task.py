"""Reward formulas as tasks."""

from __future__ import annotations

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import Reward
from fb_ros.prompts.reward_formula import parse_formula
from fb_ros.robot.wording import ranges_text, state_text
from fb_ros.task_inference.candidates import CARRIED
from fb_ros.task_inference.encoded_ways import encoded_ways
from fb_ros.task_inference.magnitude import magnitude
from fb_ros.task_inference.objective import Objective, objective_of
from fb_ros.task_inference.task_encoder import TaskEncoder
from fb_ros.task_inference.tasks.task import Task

# An estimate from fewer effective states would change with another sample.
_FEW_STATES = 20.0


def formula_task(
    bundle: Bundle,
    encoder: TaskEncoder,
    prompt: Reward,
    *,
    several: bool,
    present: np.ndarray | None = None,
) -> Task:
    """The task of a formula; refuses one that is constant over the reference states.

    `several` and `present` are those of `encoded_ways`.
    """
    objective, scaled = formula_objective(bundle, prompt)
    low, high = float(scaled.min()), float(scaled.max())
    carried = (scaled - low) / (high - low)
    effective = effective_states(carried)
    warnings: tuple[str, ...] = ()
    if effective < _FEW_STATES:
        warnings = (
            f"only about {effective:.0f} of {len(scaled)} reference states carry the reward, "
            "so the task lies at the edge of the data or outside",
        )
    ways = encoded_ways(bundle, encoder, scaled, objective.uses, several=several, present=present)
    return Task(
        text=prompt.text,
        proposals=ways.proposals,
        means=ways.means,
        base=ways.base,
        forecast=ways.forecast,
        objective=objective,
        warnings=warnings,
        figures={"share": float(np.mean(carried > CARRIED)), "effective_states": effective},
    )


def formula_objective(bundle: Bundle, prompt: Reward) -> tuple[Objective, np.ndarray]:
    """The objective of a formula, and its rewards `(n,)` at the reference states in its unit.

    Refuses a formula that is the same in all of them, or not finite in one.
    """
    layout = bundle.robot.features
    formula = parse_formula(prompt.formula, layout, bundle.encoder_features)
    features = bundle.reference_features
    rewards = formula(features)
    wrong = np.flatnonzero(~np.isfinite(rewards))
    if len(wrong):
        raise FbRosError(
            f"the reward is not finite in {len(wrong)} of {len(rewards)} reference states, "
            f"such as {state_text(layout, features[wrong[0]], formula.uses)}"
        )
    # The unit is the largest reward, since differences of huge rewards could overflow.
    unit = magnitude(rewards)
    scaled = rewards / unit
    low, high = float(scaled.min()), float(scaled.max())
    # Features are float32: a smaller variation is only their rounding.
    if high - low <= 1e-6 * max(abs(low), abs(high)):
        raise FbRosError(
            f"the reward is {high * unit:.6g} in every reference state, so there is nothing "
            f"to strive for; the data cover {ranges_text(layout, features, formula.uses)}"
        )
    objective = objective_of(
        lambda states: formula(states) / unit, formula.uses, features, scaled, unit
    )
    return objective, scaled


def effective_states(weights: np.ndarray) -> float:
    """How many states of equal weight the nonnegative `weights` `(n,)` are worth (Kish)."""
    return float(weights.sum() ** 2 / np.square(weights).sum())
