"""Sets of settings: each algorithm's from its papers, and those that make robots reach or walk."""

from __future__ import annotations

from typing import Any, Literal

from fb_ros.errors import FbRosError
from training.agents.agent_config import ALGORITHMS, AgentConfig, Algorithm, require_fields

Recipe = Literal["textbook", "reaching", "locomotion"]

# Four blocks of half the width have about as many weights as one block of the full width.
_AUTO_REGRESSIVE = {"blocks": 4, "groups": 16, "backward_hidden": 128}

# These settings were found by measurement on Jaco, for the models that ship. `F` through dynamics,
# the two further losses and the Fourier features made reaching precise. Random rewards in half of
# the tasks cost no precision and teach what people type. The two penalties keep joints still that
# a task does not need.
_REACHING: dict[str, Any] = {
    "features": ("tcp_pos",),
    "d": 128,
    "gamma": 0.95,
    "hidden": 384,
    "backward_hidden": 64,
    "batch": 1024,
    "groups": 32,
    "negatives": 32,
    "learning_rate": 1e-3,
    "backward_learning_rate": 1e-3,
    "anneal": True,
    "target_rate": 0.02,
    "fb_loss": 0.1,
    "goal_share": 0.5,
    "reward_share": 0.5,
    "forward": "dynamics",
    "fourier": 32,
    "successor_loss": 1.0,
    "q_loss": 10.0,
    "average_rate": 0.002,
    "action_penalty": 0.3,
    "rest_penalty": 0.2,
    "box_share": 0.5,
}

# These settings were found by measurement on recordings of a walking controller, most important
# first (docs/algorithms.md). Tasks are the transitions' own future: with tasks drawn
# independently, 20,000 updates had achieved nothing. The future is near, since a later one often
# belongs to the next command. At a temperature of 2 the policy kept more velocities for 24,000
# updates and then fewer and fewer: what `Q` prefers among actions that all lead to the task's
# state is mostly error.
_LOCOMOTION: dict[str, Any] = {
    "features": ("torso_vel", "torso_ang_vel", "torso_up", "torso_height"),
    "future_share": 1.0,
    "rare_share": 0.6,
    "steady": 0.6,
    "policy_share": 2 / 3,
    "temperature": 10.0,
    "goal_share": 0.0,
    "fourier": 32,
    "fourier_scale": 0.7,
    "d": 64,
    "gamma": 0.97,
    "batch": 512,
    "groups": 64,
    "negatives": 16,
    "learning_rate": 5e-4,
    "backward_learning_rate": 5e-4,
    "anneal": True,
    "value_samples": 2,
    "average_rate": 0.005,
    # On a processor without matrix instructions, bfloat16 takes 110 ms per update at this width,
    # and float32 76.
    "bfloat16": False,
}
# Blocks of their own for every feature: a velocity keeps its magnitude in `z` whatever the legs do
# to height and tilt, and a task can leave a feature open.
_LOCOMOTION_BLOCKS: dict[str, Any] = {"feature_blocks": (2, 2, 1, 1), "blocks": 6, "d": 96}


def default_algorithm(recipe: Recipe) -> Algorithm:
    """The algorithm for a recipe's data: recordings of a controller do not explore."""
    return "fb_aware" if recipe == "locomotion" else "fb_ar"


def agent_config(
    algorithm: Algorithm = "fb_ar", recipe: Recipe = "textbook", **changes: Any
) -> AgentConfig:
    """The settings of an algorithm, with `changes`; refuses unknown names and lists the valid
    ones."""
    if algorithm not in ALGORITHMS:
        raise FbRosError(f"there is no algorithm {algorithm!r}; possible: {', '.join(ALGORITHMS)}")
    require_fields(changes)
    settings: dict[str, Any] = {"algorithm": algorithm}
    auto_regressive = algorithm in ("fb_ar", "fb_aware")
    if recipe == "reaching":
        settings |= _REACHING | {"blocks": 8 if auto_regressive else 1}
    elif auto_regressive:
        settings |= _AUTO_REGRESSIVE
    if recipe == "locomotion":
        settings |= _LOCOMOTION | (_LOCOMOTION_BLOCKS if auto_regressive else {})
    return AgentConfig(**settings | changes)
