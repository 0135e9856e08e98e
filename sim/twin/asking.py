"""A prompt's answer from the model and, if there is one, from its twin, as the nodes get it."""

from __future__ import annotations

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import Prompt
from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.reward_inference import RewardInference
from fb_ros.task_inference.trial import Trial, after_trial
from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from sim.tasks.episode_seed import episode_rng
from sim.twin.twin import Twin


def ask(
    inference: RewardInference, prompt: Prompt, environment: Environment, twin: Twin | None
) -> Inference:
    """The best proposal from the environment's present state, and its forecast."""
    answer = inference.infer(prompt, environment.observation())
    if twin is None or answer.proposals is None or answer.objective is None:
        return answer
    trial = twin.try_out(environment.robot_state(), answer.objective, answer.proposals)
    return after_trial(answer, trial)


def ask_from_start(
    bundle: Bundle, inference: RewardInference, prompt: Prompt
) -> tuple[Inference, Trial]:
    """The same for a robot in its first initial state, with the result of the twin's trial."""
    environment = make_environment(bundle.robot.name)
    twin = Twin(bundle)
    environment.reset(episode_rng(0, 0))
    answer = inference.infer(prompt, environment.observation())
    if answer.proposals is None or answer.objective is None:
        raise FbRosError("this prompt leaves nothing to try; leave --twin out")
    trial = twin.try_out(environment.robot_state(), answer.objective, answer.proposals)
    return after_trial(answer, trial), trial
