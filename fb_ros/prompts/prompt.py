"""The prompts that a person can give, and how each of them is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoalPoint:
    """Bring the robot's goal feature to a point."""

    point: tuple[float, ...]
    """The point, in the unit of the goal feature."""

    @property
    def text(self) -> str:
        """The prompt in the form that `prompt_text` reads."""
        return _call("goal_point", self.point)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoalState:
    """Bring all features that `B` reads to given values."""

    values: tuple[float, ...]
    """The values, in the order and the units of the features that `B` reads."""

    @property
    def text(self) -> str:
        """The prompt in the form that `prompt_text` reads."""
        return _call("goal_state", self.values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Velocity:
    """Move at a velocity."""

    linear: tuple[float, float, float]
    """m/s, in the frame of the robot's velocity feature."""
    angular: tuple[float, float, float]
    """rad/s, in the same frame."""

    @property
    def text(self) -> str:
        """The prompt in the form that `prompt_text` reads."""
        return _call("velocity", (*self.linear, *self.angular))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reward:
    """Collect as much as possible of the reward that a formula gives."""

    formula: str

    @property
    def text(self) -> str:
        """The prompt in the form that `prompt_text` reads."""
        return f"reward({self.formula})"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class RewardSamples:
    """Repeat what earned reward in a few labelled states."""

    features: np.ndarray
    """The features that `B` reads, for each state, `(n, k)`."""
    rewards: np.ndarray
    """`(n,)`."""

    @property
    def text(self) -> str:
        """The prompt in the form that `prompt_text` reads: rows of features and their reward."""
        rows = np.column_stack([self.features, self.rewards])
        return f"reward_samples({'; '.join(_numbers(row) for row in rows)})"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Skill:
    """Follow the encoding that was saved under a name."""

    name: str

    @property
    def text(self) -> str:
        """The prompt in the form that `prompt_text` reads."""
        return self.name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Blend:
    """Do several things at once, more or less of each."""

    parts: tuple[tuple[Prompt, float], ...]
    """Prompts and their weights."""

    @property
    def text(self) -> str:
        """The prompt in the form that `prompt_text` reads."""
        texts = [prompt.text for prompt, _ in self.parts]
        return blend_text(texts, [weight for _, weight in self.parts])


Prompt = GoalPoint | GoalState | Velocity | Reward | RewardSamples | Skill | Blend


def count_parts(prompt: Prompt) -> int:
    """How many prompts a prompt contains, with those of blends within blends."""
    if not isinstance(prompt, Blend):
        return 1
    return sum(count_parts(part) for part, _ in prompt.parts)


def blend_text(texts: Sequence[str], weights: Sequence[float]) -> str:
    """A blend of prompts with these texts."""
    # A blend ends with its last weight, which must not run into the next weight of an outer blend.
    parts = [f"blend({text})" if text[-1:].isdigit() else text for text in texts]
    return " + ".join(f"{part} {weight:g}" for part, weight in zip(parts, weights, strict=True))


def _call(name: str, numbers: Sequence[float]) -> str:
    return f"{name}({_numbers(numbers)})"


def _numbers(numbers: Sequence[float] | np.ndarray) -> str:
    return ", ".join(f"{number:.6g}" for number in numbers)
