"""Zero-shot reaching of a bundle in simulation, compared with a yardstick."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fb_ros.bundle.policy import BestOfPolicy, Policy
from fb_ros.command import Result
from fb_ros.errors import FbRosError
from fb_ros.paths import open_bundle
from fb_ros.prompts.prompt import GoalPoint
from fb_ros.task_inference.reward_inference import RewardInference
from sim.progress import progress_bar
from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import CommandOf, follow, policy_commands
from sim.tasks.resolved_rate import resolved_rate_command
from sim.tasks.rest import REST
from sim.tasks.score import reach_figures
from sim.tasks.tasks import EPISODE_SECONDS, ReachTask, make_task
from sim.tasks.velocity_task import VELOCITY
from sim.twin.twin import Twin
from training.evaluation.evaluate_config import PROMPTS, REWARDS, EvaluateConfig
from training.evaluation.evaluate_prompts import evaluate_prompts
from training.evaluation.evaluate_rest import evaluate_rest
from training.evaluation.evaluate_rewards import evaluate_rewards
from training.evaluation.evaluate_velocity import evaluate_velocity
from training.evaluation.formula_list import read_formulas


def reach_distances(
    environment: Environment,
    task: ReachTask,
    controller_for: Callable[[np.ndarray], CommandOf],
    *,
    episodes: int,
    seed: int,
    progress: str = "",
) -> np.ndarray:
    """Distance to the goal after each step of each episode, `(episodes, steps)`.

    `controller_for` makes the controller for a goal. Start and goal of an episode depend only on
    the seed and on the episode's number.
    """
    spec = environment.spec
    goal_feature = spec.feature(spec.goal_feature)
    steps = round(EPISODE_SECONDS / spec.ctrl_dt)
    distances = np.empty((episodes, steps))
    for episode in progress_bar(range(episodes), title=progress, unit="goal"):
        environment.reset(episode_rng(seed, episode))
        goal = task.goal(seed, episode)
        command_of = controller_for(goal)
        for step, state in enumerate(follow(environment, command_of, steps)):
            distances[episode, step] = np.linalg.norm(goal_feature.encode(state) - goal)
    return distances


def evaluate(config: EvaluateConfig) -> Result:
    """Figures of the bundle, and of the yardstick if there is one."""
    bundle = open_bundle(config.bundle)
    environment = make_environment(bundle.robot.name, config.start)
    if environment.spec != bundle.robot:
        raise FbRosError(
            f"{bundle.path} was made for another description of robot {bundle.robot.name}; "
            "train and export the model again"
        )
    kind = BestOfPolicy if config.sample_actions else Policy
    policy = kind(bundle, config.backend, config.precision)
    inference = RewardInference(
        bundle,
        config.backend,
        choice=config.choice,
        precision=config.precision,
    )
    twin = Twin(bundle) if config.twin else None
    if config.rewards:
        figures = evaluate_rewards(
            environment,
            bundle,
            policy,
            inference,
            read_formulas(config.rewards),
            starts=config.goals,
            seed=config.seed,
            sequence=config.sequence,
            twin=twin,
        )
        described = {
            "ok": not figures["refused"],
            "task": REWARDS,
            "robot": bundle.robot.name,
            "rewards": str(config.rewards),
            "seed": config.seed,
        }
        return described | figures | {"model_id": bundle.model_id}
    if config.task == PROMPTS:
        figures = evaluate_prompts(
            environment,
            policy,
            inference,
            episodes=config.goals,
            seed=config.seed,
            sequence=config.sequence,
            twin=twin,
        )
        described = {
            "task": PROMPTS,
            "robot": bundle.robot.name,
            "start": config.start,
            "seed": config.seed,
        }
        return described | figures | {"model_id": bundle.model_id}
    if config.task == VELOCITY:
        return evaluate_velocity(config, environment, bundle, policy, inference)
    if config.task == REST:
        return evaluate_rest(config, environment, bundle, policy, inference)
    task = make_task(config.task, bundle.robot)

    def learned(goal: np.ndarray) -> CommandOf:
        z = inference.infer(GoalPoint(point=tuple(goal))).z
        return policy_commands(bundle.robot, policy, z)

    if config.picture:
        _draw(config.picture, environment, task, learned, config.seed)

    def knowing(goal: np.ndarray) -> CommandOf:
        return lambda environment: resolved_rate_command(environment, goal)

    def run(controller: Callable[[np.ndarray], CommandOf], name: str) -> dict[str, Any]:
        distances = reach_distances(
            environment, task, controller, episodes=config.goals, seed=config.seed, progress=name
        )
        return reach_figures(task, distances)

    started = time.perf_counter()
    result: Result = {"task": task.name, "robot": bundle.robot.name}
    result |= run(learned, "policy")
    result |= {"seed": config.seed, "model_id": bundle.model_id}
    if config.reference and bundle.robot.action_interface == "velocity":
        result["resolved_rate"] = run(knowing, "resolved rate")
    return result | {"seconds": time.perf_counter() - started}


def _draw(
    path: Path,
    environment: Environment,
    task: ReachTask,
    controller_for: Callable[[np.ndarray], CommandOf],
    seed: int,
) -> None:
    """Frames of the first episode: at its start and after 0.6, 1.2 and 2.4 seconds."""
    # Imported only here: without a picture, neither a renderer nor an imaging library is needed.
    from sim.picture import FilmStrip

    strip = FilmStrip(environment)
    environment.reset(episode_rng(seed, 0))
    goal = task.goal(seed, 0)
    command_of = controller_for(goal)
    for step in range(61):
        if step in (0, 15, 30, 60):
            strip.take(goal)
        environment.step(command_of(environment))
    strip.save(path)
