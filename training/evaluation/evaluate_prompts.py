"""`fb_ros evaluate --task prompts`: whether the prompts to try do what they say."""

from __future__ import annotations

from typing import Any

import numpy as np

from fb_ros.bundle.policy import Policy
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt_text import parse_prompt
from fb_ros.task_inference.reward_inference import RewardInference
from sim.progress import progress_bar
from sim.robots.environment import Environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import follow, policy_commands
from sim.tasks.prompt_examples import examples_of, seen_in
from sim.tasks.tasks import EPISODE_SECONDS


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
    spec = environment.spec
    steps, last = round(EPISODE_SECONDS / spec.ctrl_dt), round(1.0 / spec.ctrl_dt)

    rows: list[dict[str, Any]] = []
    for example in progress_bar(examples_of(spec.name), title="prompts", unit="prompt"):
        row: dict[str, Any] = {
            "name": example.name,
            "text": example.text,
            "hard": example.hard,
        }
        try:
            asked = [
                inference.infer(parse_prompt(text)).z
                for text in (example.after, example.text)
                if text
            ]
        except FbRosError as error:
            rows.append({**row, "success": 0.0, "refused": str(error)})
            continue
        did = []
        for episode in range(episodes):
            environment.reset(episode_rng(seed, episode))
            for z in asked:
                states = list(follow(environment, policy_commands(spec, policy, z), steps))
            did.append(example.judge(seen_in(states[-last:], spec.features)))
        rows.append({**row, "success": float(np.mean(did))})
    return {
        "prompts": rows,
        "success": float(np.mean([row["success"] for row in rows if not row["hard"]])),
        "episodes": episodes,
    }
