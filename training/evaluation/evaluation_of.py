"""Choosing the evaluation of an agent in training."""

from __future__ import annotations

from collections.abc import Sequence

from sim.robots.environment import Environment
from sim.tasks.reward_tasks import task_names
from training.agents.agent_config import AgentConfig
from training.data.data import Transitions
from training.evaluation.reach_evaluation import ReachEvaluation
from training.evaluation.task_evaluation import TaskEvaluation
from training.evaluation.velocity_evaluation import VelocityEvaluation

Evaluation = ReachEvaluation | TaskEvaluation | VelocityEvaluation


def evaluation_of(
    config: AgentConfig,
    environment: Environment,
    data: Transitions,
    *,
    seed: int,
    tasks: Sequence[str] = (),
) -> Evaluation:
    """Goals to reach for an arm, benchmark tasks for a mobile robot, and velocities to keep for a
    mobile robot without a benchmark."""
    if environment.confined:
        return ReachEvaluation(config, environment, data, seed=seed)
    if tasks or task_names(environment.spec.name):
        return TaskEvaluation(config, environment, data, seed=seed, tasks=tasks)
    return VelocityEvaluation(config, environment, data, seed=seed)
