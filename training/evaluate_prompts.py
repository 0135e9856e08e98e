"""`fb_ros evaluate --task prompts`: whether the prompts to try do what they say."""

from __future__ import annotations

from typing import Any

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.policy import Policy
from fb_ros.prompt_text import parse_prompt
from fb_ros.reward_inference import RewardInference
from fb_ros.robot_state import RobotState
from sim.environment import Environment
from sim.episode_seed import episode_rng
from sim.progress import progress_bar
from sim.prompt_examples import PromptExample, examples_of, seen_in
from sim.tasks import EPISODE_SECONDS


def evaluate_prompts(
    environment: Environment,
    policy: Policy,
    inference: RewardInference,
    *,
    episodes: int,
    seed: int,
) -> dict[str, Any]:
    """How often each of the robot's examples was seen to do what it says.

    One that the model refuses, since its `B` does not read what it speaks of, counts as missed.
    """
    rows: list[dict[str, Any]] = []
    for example in progress_bar(
        list(examples_of(environment.spec.name)), title="prompts", unit="prompt"
    ):
        row: dict[str, Any] = {
            "name": example.name,
            "text": example.text,
            "hard": example.hard,
        }
        try:
            z = inference.infer(parse_prompt(example.text)).z
        except FbRosError as error:
            rows.append({**row, "success": 0.0, "refused": str(error)})
            continue
        did = []
        for episode in range(episodes):
            environment.reset(episode_rng(seed, episode))
            if example.after:
                before = inference.infer(parse_prompt(example.after)).z
                _follow(environment, policy, before)
            did.append(_does(environment, policy, z, example))
        rows.append({**row, "success": float(np.mean(did))})
    return {
        "prompts": rows,
        "success": float(np.mean([row["success"] for row in rows if not row["hard"]])),
        "episodes": episodes,
    }


def _does(environment: Environment, policy: Policy, z: np.ndarray, example: PromptExample) -> bool:
    states = _follow(environment, policy, z)
    last = states[-round(1.0 / environment.spec.ctrl_dt) :]
    return example.judge(seen_in(last, environment.spec.features))


def _follow(environment: Environment, policy: Policy, z: np.ndarray) -> list[RobotState]:
    states = []
    for _ in range(round(EPISODE_SECONDS / environment.spec.ctrl_dt)):
        environment.step(policy.command(environment.observation(), z))
        states.append(environment.robot_state())
    return states
