"""From what a person asks for to the task encoding `z`."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

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
    blend_text,
    count_parts,
)
from fb_ros.prompts.reward_formula import parse_formula
from fb_ros.prompts.skills import SkillLibrary
from fb_ros.robot.wording import describe, point_text, ranges_text, shortened, state_text
from fb_ros.task_inference.asked_blocks import asked_blocks
from fb_ros.task_inference.candidates import CARRIED, Centring, baseline, candidates
from fb_ros.task_inference.expectation import Expectation
from fb_ros.task_inference.goal_encoding import encode_goal
from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.magnitude import magnitude
from fb_ros.task_inference.nearest_state import nearest_state
from fb_ros.task_inference.sphere import blend
from fb_ros.task_inference.task_encoder import Encoding, TaskEncoder
from fb_ros.task_inference.velocity_weights import mean_velocity, velocity_weights

# Fewer effective states than this make an estimate that another sample would overturn.
_FEW_STATES = 20.0
# Bounds of the work that one prompt can make.
_MOST_WAYS, _MOST_PARTS, _MOST_SAMPLES = 100, 8, 10_000


def reward_inference(bundle: Bundle, prompt: Prompt) -> Inference:
    """The encoding of one prompt; `RewardInference` keeps what several have in common."""
    return RewardInference(bundle).infer(prompt)


class RewardInference:
    """Answers prompts with the encodings of one bundle."""

    def __init__(
        self,
        bundle: Bundle,
        backend: str = "auto",
        *,
        skills: SkillLibrary | None = None,
        best_of: int = 1,
        centring: Centring = "dense",
        precision: Precision = "fp32",
    ) -> None:
        """`best_of` is the number of ways to encode a formula, of which the model's own value
        chooses one; 1 takes the first. `centring` says from which formulas their mean over the
        reference states is subtracted."""
        if not 1 <= best_of <= _MOST_WAYS:
            raise FbRosError(f"best_of is {best_of}, expected 1 to {_MOST_WAYS}")
        self._bundle, self._skills = bundle, skills
        self._best_of, self._centring = best_of, centring
        self._encoder = TaskEncoder(bundle, backend, precision)
        self._expectation = Expectation(bundle, backend, precision)

    def infer(self, prompt: Prompt) -> Inference:
        """The encoding of a prompt, or a refusal in one line that says why not."""
        parts = count_parts(prompt)
        if not 1 <= parts <= _MOST_PARTS:
            raise FbRosError(f"the blend has {parts} parts, 1 to {_MOST_PARTS} will do")
        inference = self._infer(prompt)
        if not (np.all(np.isfinite(inference.z)) and np.any(inference.z)):
            raise FbRosError(
                "its encoding is not finite or zero; ask with numbers of an ordinary size"
            )
        likeness = self._expectation.reward(
            inference.z, inference.z / float(inference.z @ inference.z)
        )
        figures = {**inference.figures, "predicted_likeness": likeness}
        return dataclasses.replace(inference, figures=figures)

    def _infer(self, prompt: Prompt) -> Inference:
        match prompt:
            case GoalPoint(point=point):
                return self._goal(prompt, {self._bundle.robot.goal_feature: np.asarray(point)})
            case Velocity():
                return self._velocity(prompt)
            case GoalState(values=values):
                return self._goal_state(prompt, np.asarray(values, dtype=np.float64))
            case Reward(formula=formula):
                return self._reward(prompt, formula)
            case RewardSamples():
                return self._samples(prompt)
            case Skill(name=name):
                return self._skill(prompt, name)
            case Blend(parts=parts):
                return self._blend(prompt, parts)

    def example(self) -> Prompt:
        """A prompt that every model takes: a state that it has seen."""
        return GoalState(values=tuple(float(value) for value in self._encoder.reference[0]))

    def _goal(self, prompt: Prompt, goals: dict[str, np.ndarray]) -> Inference:
        found = encode_goal(self._bundle, self._encoder, goals)
        warnings: tuple[str, ...] = ()
        if found.instead is not None:
            warnings = (
                f"it is {found.outside:.3g} {found.unit} outside the data; trying the nearest "
                f"point seen, {point_text(found.instead)}",
            )
        figures = {f"outside_{found.unit}": found.outside}
        return Inference(z=found.z, text=prompt.text, warnings=warnings, figures=figures)

    def _velocity(self, prompt: Velocity) -> Inference:
        robot = self._bundle.robot
        if not robot.velocity_features:
            raise FbRosError(
                f"robot {robot.name} has no velocity that a reward could speak of; "
                "publish a goal point or a formula"
            )
        goals = {}
        rest = [list(prompt.linear), list(prompt.angular)]
        for number, name in enumerate(robot.velocity_features):
            size = robot.feature(name).size
            goals[name], rest[number] = np.array(rest[number][:size]), rest[number][size:]
        if any(value != 0.0 for part in rest for value in part):
            raise FbRosError(
                f"robot {robot.name} has no such velocity as {prompt.text} asks for; it has "
                + describe([robot.feature(name) for name in robot.velocity_features])
            )
        if robot.velocity_widths:
            return self._keep(prompt, np.concatenate(list(goals.values())))
        return self._goal(prompt, goals)

    def _keep(self, prompt: Prompt, velocity: np.ndarray) -> Inference:
        """The dense reward around a velocity `(k,)`: to keep it, and not to come by it once."""
        bundle = self._bundle
        names = (*bundle.robot.velocity_features, *bundle.robot.posture_features)
        unread = [name for name in names if name not in self._encoder.columns]
        if unread:
            raise FbRosError(f"this model's B does not read {', '.join(unread)}")
        if not np.all(np.isfinite(velocity)):
            raise FbRosError(f"{prompt.text} is not finite; publish finite numbers")
        weights = velocity_weights(bundle.robot, bundle.reference_features, velocity)
        shown = mean_velocity(bundle.robot, bundle.reference_features, weights)
        if np.any(np.abs(shown - velocity) > np.asarray(bundle.robot.velocity_widths)):
            raise FbRosError(
                f"no data show {prompt.text}; the most like it that they show is a mean velocity "
                f"of {point_text(shown)}"
            )
        asked = asked_blocks(bundle.block_features, names)
        encoding = self._encoder.encode(self._encoder.reference, weights, asked)
        figures = {"effective_states": _effective_states(weights)}
        return Inference(z=encoding.z, text=prompt.text, figures=figures)

    def _goal_state(self, prompt: Prompt, values: np.ndarray) -> Inference:
        width = self._encoder.reference.shape[1]
        if values.shape != (width,):
            raise FbRosError(
                f"the goal state has {values.size} numbers, this model reads {width}: "
                + describe(self._bundle.encoder_fields)
            )
        goals = {name: values[part] for name, part in self._encoder.columns.items()}
        return self._goal(prompt, goals)

    def _reward(self, prompt: Reward, text: str) -> Inference:
        layout = self._bundle.robot.features
        formula = parse_formula(text, layout, self._bundle.encoder_features)
        features = self._bundle.reference_features
        rewards = formula(features)
        wrong = np.flatnonzero(~np.isfinite(rewards))
        if len(wrong):
            raise FbRosError(
                f"the reward is not finite in {len(wrong)} of {len(rewards)} reference states, "
                f"such as {state_text(layout, features[wrong[0]], formula.uses)}"
            )
        # In units of the largest, which may be so large that a difference would overflow.
        unit = magnitude(rewards)
        rewards = rewards / unit
        low, high = float(rewards.min()), float(rewards.max())
        # Features are float32: what varies by less is their rounding.
        if high - low <= 1e-6 * max(abs(low), abs(high)):
            raise FbRosError(
                f"the reward is {high * unit:.6g} in every reference state, so there is nothing "
                f"to strive for; the data cover {ranges_text(layout, features, formula.uses)}"
            )
        carried = (rewards - low) / (high - low)
        share = float(np.mean(carried > CARRIED))
        effective = _effective_states(carried)
        warnings: tuple[str, ...] = ()
        if effective < _FEW_STATES:
            warnings = (
                f"only about {effective:.0f} of {len(rewards)} reference states carry the reward, "
                "so the task lies at the edge of the data or outside",
            )
        asked = asked_blocks(self._bundle.block_features, formula.uses)
        best, expected = self._choose(rewards, asked)
        figures = {
            "share": share,
            "effective_states": effective,
            "predicted_reward": expected * unit,
        }
        return Inference(z=best.z, text=prompt.text, warnings=warnings, figures=figures)

    def _choose(self, rewards: np.ndarray, asked: np.ndarray) -> tuple[Encoding, float]:
        """The encoding under which the model expects the most of the rewards, and how much."""
        base = baseline(rewards, self._centring)
        ways = candidates(rewards, self._best_of, base)
        relative = ways[0].weights
        encodings = [
            self._encoder.encode(self._encoder.reference, way.weights, asked, relative)
            for way in ways
        ]
        # A constant reward is worth itself.
        expected = [base + self._expectation.reward(*encoding) for encoding in encodings]
        best = int(np.argmax(expected))
        return encodings[best], expected[best]

    def _samples(self, prompt: RewardSamples) -> Inference:
        features, rewards = np.asarray(prompt.features), np.asarray(prompt.rewards)
        width = self._encoder.reference.shape[1]
        if features.ndim != 2 or features.shape[1] != width or len(rewards) != len(features):
            raise FbRosError(
                f"labelled states have shape {features.shape} and {len(rewards)} rewards, "
                f"expected {width} features and a reward in each row: "
                + describe(self._bundle.encoder_fields)
            )
        # As the graph will have them.
        with np.errstate(over="ignore"):
            features = features.astype(np.float32)
        if not (np.all(np.isfinite(features)) and np.all(np.isfinite(rewards))):
            raise FbRosError("the labelled states are not finite; publish finite numbers")
        if not np.any(rewards):
            raise FbRosError("no labelled state has a reward; give at least one another than 0")
        if len(features) > _MOST_SAMPLES:
            raise FbRosError(f"{len(features)} labelled states, at most {_MOST_SAMPLES} will do")
        asked = np.ones(len(self._bundle.blocks), dtype=np.float32)
        encoding = self._encoder.encode(features, rewards, asked)
        reference = self._encoder.reference.astype(np.float64)
        last = features[rewards != 0.0][-1]
        outside = nearest_state(reference, last, self._encoder.spread)[2]
        warnings: tuple[str, ...] = ()
        if not outside <= 1.0:
            warnings = (f"the last labelled state is {outside:.3g} std outside the data",)
        figures = {
            "labelled_states": float(len(rewards)),
            "effective_states": _effective_states(np.abs(rewards) / magnitude(rewards)),
            "outside_std": outside,
        }
        return Inference(z=encoding.z, text=prompt.text, warnings=warnings, figures=figures)

    def _skill(self, prompt: Prompt, name: str) -> Inference:
        if self._skills is None:
            raise FbRosError("there is no folder of skills here; give the prompt itself")
        skill = self._skills.load(name)
        if skill.model_id != self._bundle.model_id or len(skill.z) != self._bundle.z_dim:
            raise FbRosError(
                f"skill {name} was saved under model {skill.model_id[:12]}, this is "
                f"{self._bundle.model_id[:12]}; ask for `anew {name}` to encode its text, "
                f"{shortened(skill.text)}, with this model"
            )
        # By its own text, so that what is saved of it does not hang on this skill.
        return Inference(z=skill.z, text=skill.text)

    def _blend(self, prompt: Prompt, parts: Sequence[tuple[Prompt, float]]) -> Inference:
        inferences = [self._infer(part) for part, _ in parts]
        weights = [weight for _, weight in parts]
        z = blend([inference.z for inference in inferences], weights, self._bundle.blocks)
        if not np.any(z):
            raise FbRosError("the parts of the blend cancel each other; change their weights")
        z = z.astype(np.float32)
        return Inference(
            z=z,
            text=blend_text([inference.text for inference in inferences], weights),
            warnings=tuple(
                f"{shortened(part.text)}: {warning}"
                for part in inferences
                for warning in part.warnings
            ),
        )


def _effective_states(weights: np.ndarray) -> float:
    """How many states of equal weight the `weights` `(n,)`, none negative, are worth (Kish)."""
    return float(weights.sum() ** 2 / np.square(weights).sum())
