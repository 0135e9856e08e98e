"""`fb_ros evaluate --rewards FILE`: the reward that a robot earns for typed formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.policy import Policy
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import Reward
from fb_ros.prompts.reward_formula import parse_formula
from fb_ros.robot.field import assemble
from fb_ros.task_inference.objective import Objective, objective_of
from fb_ros.task_inference.reward_inference import RewardInference
from sim.progress import progress_bar
from sim.robots.environment import Environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import follow, policy_commands
from sim.tasks.tasks import EPISODE_SECONDS
from sim.twin.asking import ask
from sim.twin.twin import Twin
from training.evaluation.episode_order import episodes_of
from training.evaluation.formula_list import ListedFormula

GOOD = 0.8
"""A formula counts as done from this score on."""
# Only the last 40 % of an episode count: by then the robot should be where it was asked to be.
_LAST = 0.4


def evaluate_rewards(
    environment: Environment,
    bundle: Bundle,
    policy: Policy,
    inference: RewardInference,
    formulas: Sequence[ListedFormula],
    *,
    starts: int,
    seed: int,
    sequence: bool = False,
    twin: Twin | None = None,
) -> dict[str, Any]:
    """The reward earned of each formula, over several starts, beside the model's forecast.

    `earned` is the mean reward over the last 40 % of ten seconds. In a `sequence`, all formulas
    share a start: each begins where the one before ended, in the file's order from the first start
    and in shuffled orders from the others. A `twin` corrects the model's choice.
    """
    count = len(formulas)
    refusals: dict[int, str] = {}
    objectives: dict[int, Objective] = {}
    earned, predicted = np.full((2, count, starts), np.nan)
    for start, index, anew in progress_bar(
        episodes_of(count, starts, seed, sequence), title="rewards", unit="episode"
    ):
        if anew:
            environment.reset(episode_rng(seed, start))
        if index in refusals:
            continue
        text = formulas[index].text
        try:
            answer = ask(inference, Reward(formula=text), environment, twin)
        except FbRosError as error:
            refusals[index] = str(error)
            continue
        predicted[index, start] = answer.figures["predicted_reward"]
        if index not in objectives:
            objectives[index] = _objective(text, bundle)
        rewards = _rewards(environment, policy, answer.z, objectives[index])
        earned[index, start] = rewards[-round(_LAST * len(rewards)) :].mean()
    rows = [
        _refused(listed, refusals[index])
        if index in refusals
        else _accepted(
            listed,
            objectives[index],
            float(earned[index].mean()),
            float(predicted[index].mean()),
        )
        for index, listed in enumerate(formulas)
    ]
    figures = {**summary(rows), "starts": starts, "sequence": sequence, "twin": bool(twin)}
    return {"rows": rows, **figures}


def summary(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`mean_score`, `share_good` and `rank_correlation` over the accepted rows.

    The correlation is Spearman's, between predicted and earned rewards, each in units of its
    formula's range.
    """
    done = [row for row in rows if row["accepted"]]
    refused = len(rows) - len(done)
    if not done:
        return {
            "mean_score": None,
            "share_good": None,
            "rank_correlation": None,
            "refused": refused,
        }
    scores = np.array([row["score"] for row in done])
    span = np.array([row["data_best"] - row["data_mean"] for row in done])
    mean = np.array([row["data_mean"] for row in done])
    predicted, earned = (
        (np.array([row[name] for row in done]) - mean) / span for name in ("predicted", "earned")
    )
    varied = len(done) > 2 and np.ptp(predicted) > 0.0 and np.ptp(earned) > 0.0
    return {
        "mean_score": float(scores.mean()),
        "share_good": float(np.mean(scores >= GOOD)),
        "rank_correlation": float(spearmanr(predicted, earned).statistic) if varied else None,
        "refused": refused,
    }


def _objective(text: str, bundle: Bundle) -> Objective:
    """A formula's values over the reference states; the model must have accepted it."""
    formula = parse_formula(text, bundle.robot.features, bundle.encoder_features)
    features = bundle.reference_features
    return objective_of(formula, formula.uses, features, formula(features))


def _rewards(
    environment: Environment, policy: Policy, z: np.ndarray, objective: Objective
) -> np.ndarray:
    """The reward of each state of an episode that starts from the robot's present state."""
    spec = environment.spec
    steps = round(EPISODE_SECONDS / spec.ctrl_dt)
    states = follow(environment, policy_commands(spec, policy, z), steps)
    return objective(np.stack([assemble(spec.features, state) for state in states]))


def _accepted(
    listed: ListedFormula, objective: Objective, earned: float, predicted: float
) -> dict[str, Any]:
    return {
        "line": listed.line,
        "formula": listed.text,
        "accepted": True,
        "earned": earned,
        "data_mean": objective.mean,
        "data_best": objective.best,
        "score": float(np.clip(objective.share(np.asarray(earned)), -1.0, 1.0)),
        "predicted": predicted,
    }


def _refused(listed: ListedFormula, refusal: str) -> dict[str, Any]:
    figures = dict.fromkeys(("earned", "data_mean", "data_best", "score", "predicted"))
    return {
        "line": listed.line,
        "formula": listed.text,
        "accepted": False,
        **figures,
        "refusal": refusal,
    }


def show_rewards(result: dict[str, Any]) -> str:
    """The figures as text."""
    lines = [f"{'line':>5} {'score':>6} {'earned':>9} {'predicted':>9} {'mean':>9} {'best':>9}"]
    for row in result["rows"]:
        if not row["accepted"]:
            lines.append(f"{row['line']:>5} refused: {row['refusal']}")
            continue
        numbers = (row[name] for name in ("earned", "predicted", "data_mean", "data_best"))
        lines.append(
            f"{row['line']:>5} {row['score']:6.2f} "
            + " ".join(f"{number:9.3g}" for number in numbers)
            + f"  {row['formula']}"
        )
    if result["mean_score"] is not None:
        lines.append(
            f"mean score {result['mean_score']:.3f}, share good {result['share_good']:.3f}, "
            f"rank correlation of the forecast {result['rank_correlation'] or 0.0:.2f}, "
            f"{result['starts']} starts"
        )
    if result["refused"]:
        lines.append(f"{result['refused']} of {len(result['rows'])} refused")
    return "\n".join(lines)
