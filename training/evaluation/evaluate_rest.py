"""How still a bundle keeps the joints once a goal is reached."""

from __future__ import annotations

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.policy import Policy
from fb_ros.command import Result
from fb_ros.prompts.prompt import GoalPoint
from fb_ros.task_inference.reward_inference import RewardInference
from sim.progress import progress_bar
from sim.robots.environment import Environment
from sim.tasks.follow import CommandOf, policy_commands
from sim.tasks.rest import REST, REST_SECONDS, SETTLED_SECONDS, joint_turns, rest_figures
from sim.tasks.tasks import REACH, make_task
from training.evaluation.evaluate_config import EvaluateConfig


def evaluate_rest(
    config: EvaluateConfig,
    environment: Environment,
    bundle: Bundle,
    policy: Policy,
    inference: RewardInference,
) -> Result:
    """The largest turns of joints after reaching goals."""
    task = make_task(REACH, bundle.robot)

    def learned(goal: np.ndarray) -> CommandOf:
        z = inference.infer(GoalPoint(point=tuple(goal))).z
        return policy_commands(bundle.robot, policy, z)

    turns = joint_turns(environment, task, learned, episodes=config.goals, seed=config.seed)
    shown = progress_bar(turns, title=REST, unit="goal", total=config.goals)
    result: Result = {"task": REST, "robot": bundle.robot.name, "seed": config.seed}
    return (
        result
        | rest_figures(list(shown), environment.robot_state().joint_names)
        | {"model_id": bundle.model_id}
    )


def show_rest(result: Result) -> str:
    """The figures as a table."""
    end = SETTLED_SECONDS + REST_SECONDS
    return "\n".join(
        [
            f"{result['robot']} {result['task']}, {result['episodes']} goals, seed "
            f"{result['seed']}, model {result['model_id'][:12]}",
            f"largest turn of a joint from {SETTLED_SECONDS:.0f} to {end:.0f} s: "
            f"{result['largest_turn_rad']:.2f} rad, net {result['largest_net_turn_rad']:.2f}; "
            f"median over goals {result['median_turn_rad']:.2f}",
            *(f"{row['joint']:<12} {row['largest_turn_rad']:6.2f}" for row in result["joints"]),
        ]
    )
