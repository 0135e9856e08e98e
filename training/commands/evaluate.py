"""`fb_ros evaluate`: zero-shot reaching in simulation, compared with a yardstick."""

from __future__ import annotations

from fb_ros.command import Command, Result
from sim.tasks.rest import REST
from sim.tasks.velocity_task import VELOCITY
from training.evaluation.bundle_evaluation import evaluate
from training.evaluation.evaluate_config import PROMPTS, REWARDS, EvaluateConfig
from training.evaluation.evaluate_rest import show_rest
from training.evaluation.evaluate_rewards import show_rewards
from training.evaluation.evaluate_velocity import show_velocity


def _show(result: Result) -> str:
    if result["task"] == REWARDS:
        return show_rewards(result)
    if result["task"] == REST:
        return show_rest(result)
    if result["task"] == VELOCITY:
        return show_velocity(result)
    if result["task"] == PROMPTS:
        shown = [
            f"{row['success']:5.2f}  {row['name']:<24} {row['text']}" for row in result["prompts"]
        ]
        total = f"{result['success']:5.2f}  on average, {result['episodes']} starts each"
        return "\n".join([*shown, total])
    lines = [
        f"{result['robot']} {result['task']}, {result['episodes']} goals, seed {result['seed']}, "
        f"model {result['model_id'][:12]}",
        f"{'':<34} success   return   median error",
    ]
    rows = [("fb_ros", result)]
    if "resolved_rate" in result:
        rows.append(("resolved rate (knows the arm)", result["resolved_rate"]))
    for name, row in rows:
        lines.append(
            f"{name:<34} {row['success']:7.2f} {row['mean_return']:8.1f} "
            f"{row['median_final_error_m'] * 100:9.1f} cm"
        )
    return "\n".join(lines)


COMMAND = Command(config=EvaluateConfig, run=evaluate, show=_show)
