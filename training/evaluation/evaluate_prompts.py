"""`fb_ros evaluate --task prompts`: whether the example prompts have the described effect."""

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
from sim.twin.asking import ask
from sim.twin.twin import Twin
from training.evaluation.episode_order import episodes_of


def evaluate_prompts(
    environment: Environment,
    policy: Policy,
    inference: RewardInference,
    *,
    episodes: int,
    seed: int,
    sequence: bool = False,
    twin: Twin | None = None,
) -> dict[str, Any]:
    """How often each of the robot's examples had its described effect.

    An example that the model refuses, since its `B` does not read the features in it, counts as
    missed. `sequence` is as in `episodes_of`. A `twin` corrects the model's choice.
    """
    spec = environment.spec
    steps, last = round(EPISODE_SECONDS / spec.ctrl_dt), round(1.0 / spec.ctrl_dt)
    examples = examples_of(spec.name)
    refusals: dict[int, str] = {}
    did = np.zeros((len(examples), episodes))
    order = episodes_of(len(examples), episodes, seed, sequence)
    for episode, index, anew in progress_bar(order, title="prompts", unit="episode"):
        example = examples[index]
        if anew:
            environment.reset(episode_rng(seed, episode))
        try:
            for text in filter(None, (example.after, example.text)):
                z = ask(inference, parse_prompt(text), environment, twin).z
                states = list(follow(environment, policy_commands(spec, policy, z), steps))
        except FbRosError as error:
            refusals[index] = str(error)
            continue
        did[index, episode] = example.judge(seen_in(states[-last:], spec.features))
    rows = [
        {
            "name": example.name,
            "text": example.text,
            "success": float(did[index].mean()),
            **({"refused": refusals[index]} if index in refusals else {}),
        }
        for index, example in enumerate(examples)
    ]
    return {
        "prompts": rows,
        "success": float(did.mean()),
        "episodes": episodes,
        "sequence": sequence,
        "twin": bool(twin),
    }
