"""Turns a prompt into the task encoding `z`."""

from __future__ import annotations

import contextlib

import numpy as np

from fb_ros.backends.graphs import Precision
from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import (
    Blend,
    GoalPoint,
    GoalState,
    Prompt,
    Reward,
    RewardSamples,
    Skill,
    Velocity,
    count_parts,
)
from fb_ros.prompts.prompt_text import MAX_SKILL_LENGTH, parse_prompt
from fb_ros.prompts.skills import SkillLibrary
from fb_ros.robot.wording import shortened
from fb_ros.task_inference.choice import Choice, Ranking, rank
from fb_ros.task_inference.expectation import Expectation
from fb_ros.task_inference.imagination import Imagination
from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.objective import Objective
from fb_ros.task_inference.task_encoder import TaskEncoder
from fb_ros.task_inference.tasks.blend_task import blend_objective, blend_task
from fb_ros.task_inference.tasks.formula_task import formula_objective, formula_task
from fb_ros.task_inference.tasks.goal_task import goal_objective, goal_task
from fb_ros.task_inference.tasks.sample_task import sample_objective, sample_task
from fb_ros.task_inference.tasks.task import Task
from fb_ros.task_inference.trial import poor_forecast

# Bound on the work of one prompt.
_MOST_PARTS = 8
# Number of reference states that stand in for a robot whose state is unknown.
_STARTS = 3


def reward_inference(bundle: Bundle, prompt: Prompt) -> Inference:
    """The encoding of one prompt; `RewardInference` keeps the work that several prompts share."""
    return RewardInference(bundle).infer(prompt)


class RewardInference:
    """Answers prompts with the encodings of one bundle."""

    def __init__(
        self,
        bundle: Bundle,
        backend: str = "auto",
        *,
        skills: SkillLibrary | None = None,
        choice: Choice = "best",
        precision: Precision = "fp32",
    ) -> None:
        """`choice` may be changed later; with `mean` there is nothing to choose."""
        self.choice = choice
        self._bundle, self._skills = bundle, skills
        self._encoder = TaskEncoder(bundle, backend, precision)
        self._expectation = Expectation(bundle, backend, precision)
        self._imagination = Imagination(bundle) if bundle.imagines else None

    def infer(self, prompt: Prompt, observation: np.ndarray | None = None) -> Inference:
        """The encoding of a prompt; raises `FbRosError` that says in one line why there is none.

        `observation` `(obs_dim,)` is the robot's, if it is known: the best behaviour may depend on
        where the robot is.
        """
        parts = count_parts(prompt)
        if not 1 <= parts <= _MOST_PARTS:
            raise FbRosError(f"the blend has {parts} parts, 1 to {_MOST_PARTS} are allowed")
        task = self._task(prompt, observation)
        if not (np.all(np.isfinite(task.proposals)) and np.all(np.any(task.proposals, axis=1))):
            raise FbRosError(
                "its encoding is not finite or zero; ask with numbers of an ordinary size"
            )
        if task.objective is None:
            return self._only(task)
        ranking = self._rank(task, task.objective, observation)
        return _chosen(task, task.objective, ranking)

    def example(self) -> Prompt:
        """A prompt that every model takes: a state that it has seen."""
        return GoalState(values=tuple(float(value) for value in self._encoder.reference[0]))

    def objective(self, prompt: Prompt) -> Objective | None:
        """The objective of a prompt; None where it is not known, as for some saved skills."""
        bundle, encoder = self._bundle, self._encoder
        match prompt:
            case GoalPoint() | GoalState() | Velocity():
                return goal_objective(bundle, encoder, prompt)
            case Reward():
                return formula_objective(bundle, prompt)[0]
            case RewardSamples():
                samples = sample_objective(bundle, encoder, prompt)
                return None if samples is None else samples[0]
            case Skill(name=name):
                # A skill's objective is that of its text, which this model may refuse.
                with contextlib.suppress(FbRosError):
                    text = self._saved(name)[1]
                    return self.objective(parse_prompt(text, longest=MAX_SKILL_LENGTH))
                return None
            case Blend(parts=parts):
                objectives = [self.objective(part) for part, _ in parts]
                blended = blend_objective(bundle, [weight for _, weight in parts], objectives)
                return None if blended is None else blended[0]

    def _task(self, prompt: Prompt, observation: np.ndarray | None) -> Task:
        bundle, encoder, several = self._bundle, self._encoder, self.choice == "best"
        present = None
        if observation is not None and self._imagination is not None:
            present = self._imagination.read(observation)
        match prompt:
            case GoalPoint() | GoalState() | Velocity():
                return goal_task(bundle, encoder, prompt)
            case Reward():
                return formula_task(bundle, encoder, prompt, several=several, present=present)
            case RewardSamples():
                # A model that cannot look ahead could only use the mean of the ways.
                several = several and self._imagination is not None
                return sample_task(bundle, encoder, prompt, several=several, present=present)
            case Skill(name=name):
                z, text = self._saved(name)
                # The task has its own text, so saving it does not depend on this skill.
                return Task(text=text, proposals=z[None])
            case Blend(parts=parts):
                tasks = [self._task(part, observation) for part, _ in parts]
                several = several and self._imagination is not None
                return blend_task(
                    bundle,
                    encoder,
                    tasks,
                    [weight for _, weight in parts],
                    [self.objective(part) for part, _ in parts] if several else [],
                    several=several,
                    present=present,
                )

    def _saved(self, name: str) -> tuple[np.ndarray, str]:
        """A skill's `z` and text; refuses one of another model."""
        if self._skills is None:
            raise FbRosError("there is no folder of skills here; give the prompt itself")
        skill = self._skills.load(name)
        if skill.model_id != self._bundle.model_id or len(skill.z) != self._bundle.z_dim:
            raise FbRosError(
                f"skill {name} was saved under model {skill.model_id[:12]}, this is "
                f"{self._bundle.model_id[:12]}; ask for `anew {name}` to encode its text, "
                f"{shortened(skill.text)}, with this model"
            )
        return skill.z, skill.text

    def _rank(self, task: Task, objective: Objective, observation: np.ndarray | None) -> Ranking:
        if task.forecast is not None:
            return Ranking(order=np.zeros(1, dtype=np.int64), forecast=task.forecast)
        if self._imagination is None:
            assert task.means is not None
            values = [
                task.base + self._expectation.reward(z, mean)
                for z, mean in zip(task.proposals, task.means, strict=True)
            ]
            order = np.argsort(-np.array(values), kind="stable")
            return Ranking(order=order, forecast=values[order[0]])
        observations = self._bundle.reference_observations[:_STARTS]
        if observation is not None:
            observations = observation[None]
        dt = self._bundle.robot.ctrl_dt
        return rank(self._imagination, objective, task.proposals, observations, dt)

    def _only(self, task: Task) -> Inference:
        z = task.proposals[0]
        likeness = self._expectation.reward(z, z / float(z @ z))
        figures = {**task.figures, "predicted_likeness": likeness}
        return Inference(z=z, text=task.text, task_warnings=task.warnings, figures=figures)


def _chosen(task: Task, objective: Objective, ranking: Ranking) -> Inference:
    proposals = task.proposals[ranking.order]
    share = float(objective.share(np.asarray(ranking.forecast)))
    figures = {
        **task.figures,
        "predicted_reward": ranking.forecast * objective.unit,
        "predicted_share": share,
    }
    return Inference(
        z=proposals[0],
        text=task.text,
        task_warnings=task.warnings,
        forecast_warnings=poor_forecast(objective, ranking.forecast, "the model expects"),
        figures=figures,
        proposals=proposals,
        objective=objective,
    )
