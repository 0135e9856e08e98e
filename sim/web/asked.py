"""What the present prompt asks for, measured in the robot's present state."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Literal

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import Blend, GoalPoint, Prompt, Reward, Skill, Velocity
from fb_ros.prompts.prompt_text import parse_prompt
from fb_ros.prompts.reward_formula import RewardFormula, parse_formula
from fb_ros.prompts.skills import SkillLibrary
from fb_ros.robot.field import layout_slices

# A commanded velocity below this counts as zero, in its own unit.
_NO_VELOCITY = 1e-6


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measure:
    """One number that a person compares with another."""

    kind: Literal["distance", "velocity"]
    """Distance of the goal feature from its goal, or velocity along the commanded one."""
    aim: float
    """The value that it should have or stay below."""
    read: Callable[[np.ndarray], float]
    """Computes the number from the task features `(feature_dim,)`."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Asked:
    """Tells from the robot's features whether it does what was asked."""

    rewards: tuple[tuple[RewardFormula, float], ...] = ()
    """Formulas and their weights."""
    measure: Measure | None = None
    point: tuple[float, ...] | None = None
    """The goal, if one was given."""

    def reward(self, features: np.ndarray) -> float | None:
        """The reward at the features `(feature_dim,)`; None without a formula, or if it is not
        finite there."""
        if not self.rewards:
            return None
        total = sum(weight * float(formula(features[None])[0]) for formula, weight in self.rewards)
        return total if np.isfinite(total) else None


def asked_by(text: str, bundle: Bundle, skills: SkillLibrary) -> Asked:
    """The measures of the prompt `text`; they are empty if it is no prompt or its skill is
    missing."""
    try:
        return _asked(parse_prompt(text, longest=len(text)), bundle, skills)
    except FbRosError:
        return Asked()


def _asked(prompt: Prompt, bundle: Bundle, skills: SkillLibrary) -> Asked:
    robot = bundle.robot
    match prompt:
        case Reward(formula=formula):
            parsed = parse_formula(formula, robot.features, bundle.encoder_features)
            return Asked(rewards=((parsed, 1.0),))
        case GoalPoint(point=point):
            return Asked(measure=_distance(bundle, np.asarray(point)), point=point)
        case Velocity():
            return Asked(measure=_velocity(bundle, prompt))
        case Skill(name=name):
            saved = skills.load(name).text
            return _asked(parse_prompt(saved, longest=len(saved)), bundle, skills)
        case Blend(parts=parts):
            asked = [(_asked(part, bundle, skills), weight) for part, weight in parts]
            rewards = [(f, w * weight) for one, weight in asked for f, w in one.rewards]
            measures = [one.measure for one, _ in asked if one.measure]
            points = [one.point for one, _ in asked if one.point]
            return Asked(
                rewards=tuple(rewards),
                measure=measures[0] if measures else None,
                point=points[0] if points else None,
            )
    return Asked()


def _distance(bundle: Bundle, goal: np.ndarray) -> Measure:
    robot = bundle.robot
    part = layout_slices(robot.features)[robot.goal_feature]
    return Measure(
        kind="distance",
        aim=robot.goal_radius,
        read=lambda features: float(np.linalg.norm(features[part] - goal)),
    )


def _velocity(bundle: Bundle, prompt: Velocity) -> Measure:
    """The speed along the commanded velocity, or the speed as such where none is wanted.

    Of the linear one, unless only the angular one is asked for.
    """
    parts: Mapping[str, slice] = layout_slices(bundle.robot.features)
    # A robot may have a linear one alone.
    wanted_of = zip(bundle.robot.velocity_features, (prompt.linear, prompt.angular), strict=False)
    commands = list(wanted_of)
    name, command = next(
        ((n, c) for n, c in commands if np.linalg.norm(c) > _NO_VELOCITY), commands[0]
    )
    part, size = parts[name], bundle.robot.feature(name).size
    wanted = np.asarray(command[:size], dtype=np.float64)
    speed = float(np.linalg.norm(wanted))

    def read(features: np.ndarray) -> float:
        if speed <= _NO_VELOCITY:
            return float(np.linalg.norm(features[part]))
        return float(features[part] @ wanted / speed)

    return Measure(kind="velocity", aim=speed, read=read)
