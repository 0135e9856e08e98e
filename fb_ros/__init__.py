"""Publish a reward, get a behaviour: the part of fb_ros that runs on the robot.

Programs import these names from here; each is loaded on first use:

    from fb_ros import GoalPoint, Policy, Reward, RewardInference, load_bundle

    bundle = load_bundle("models/arm")
    inference, policy = RewardInference(bundle), Policy(bundle)
    z = inference.infer(Reward(formula="tcp_pos[2] > 0.3")).z
    command = policy.command(observation, z)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fb_ros.bundle.bundle import Bundle as Bundle
    from fb_ros.bundle.policy import BestOfPolicy as BestOfPolicy
    from fb_ros.bundle.policy import Policy as Policy
    from fb_ros.errors import FbRosError as FbRosError
    from fb_ros.paths import open_bundle as load_bundle
    from fb_ros.prompts.prompt import Blend as Blend
    from fb_ros.prompts.prompt import GoalPoint as GoalPoint
    from fb_ros.prompts.prompt import GoalState as GoalState
    from fb_ros.prompts.prompt import Reward as Reward
    from fb_ros.prompts.prompt import RewardSamples as RewardSamples
    from fb_ros.prompts.prompt import Skill as Skill
    from fb_ros.prompts.prompt import Velocity as Velocity
    from fb_ros.prompts.prompt_text import parse_prompt as parse_prompt
    from fb_ros.robot.robot_spec import RobotSpec as RobotSpec
    from fb_ros.task_inference.inference import Inference as Inference
    from fb_ros.task_inference.reward_inference import RewardInference as RewardInference

    __version__: str

# The module of each name, and its name there.
_PLACES = {
    "BestOfPolicy": "fb_ros.bundle.policy:BestOfPolicy",
    "Blend": "fb_ros.prompts.prompt:Blend",
    "Bundle": "fb_ros.bundle.bundle:Bundle",
    "FbRosError": "fb_ros.errors:FbRosError",
    "GoalPoint": "fb_ros.prompts.prompt:GoalPoint",
    "GoalState": "fb_ros.prompts.prompt:GoalState",
    "Inference": "fb_ros.task_inference.inference:Inference",
    "Policy": "fb_ros.bundle.policy:Policy",
    "Reward": "fb_ros.prompts.prompt:Reward",
    "RewardInference": "fb_ros.task_inference.reward_inference:RewardInference",
    "RewardSamples": "fb_ros.prompts.prompt:RewardSamples",
    "RobotSpec": "fb_ros.robot.robot_spec:RobotSpec",
    "Skill": "fb_ros.prompts.prompt:Skill",
    "Velocity": "fb_ros.prompts.prompt:Velocity",
    "load_bundle": "fb_ros.paths:open_bundle",
    "parse_prompt": "fb_ros.prompts.prompt_text:parse_prompt",
}

__all__ = [
    "BestOfPolicy",
    "Blend",
    "Bundle",
    "FbRosError",
    "GoalPoint",
    "GoalState",
    "Inference",
    "Policy",
    "Reward",
    "RewardInference",
    "RewardSamples",
    "RobotSpec",
    "Skill",
    "Velocity",
    "__version__",
    "load_bundle",
    "parse_prompt",
]


def __getattr__(name: str) -> Any:
    """Loads a name of `__all__` on first use."""
    if name == "__version__":
        from fb_ros.version import version

        return version()
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PLACES[name].split(":")
    value = globals()[name] = getattr(importlib.import_module(module), attribute)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
