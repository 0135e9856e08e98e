"""What a person can ask for, and how each of it is written."""

from __future__ import annotations

import dataclasses

import numpy as np


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoalPoint:
    """Bring the robot's goal feature to a point."""

    point: tuple[float, ...]
    """In the unit of the goal feature."""

    @property
    def text(self) -> str:
        return _call("goal_point", self.point)


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoalState:
    """Bring all that `B` reads to given values."""

    values: tuple[float, ...]
    """In the order and the units of the features that `B` reads."""

    @property
    def text(self) -> str:
        return _call("goal_state", self.values)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Velocity:
    """Move at a velocity."""

    linear: tuple[float, float, float]
    """m/s, in the frame of the robot's velocity feature."""
    angular: tuple[float, float, float]
    """rad/s, likewise."""

    @property
    def text(self) -> str:
        return _call("velocity", (*self.linear, *self.angular))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reward:
    """Collect as much as possible of the reward that a formula gives."""

    formula: str

    @property
    def text(self) -> str:
        return f"reward({self.formula})"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class RewardSamples:
    """Do what was rewarded in a few labelled states."""

    features: np.ndarray
    """What `B` reads of each state, `(n, k)`."""
    rewards: np.ndarray
    """`(n,)`."""

    @property
    def text(self) -> str:
        return f"{len(self.rewards)} labelled states, however they were chosen"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Skill:
    """Do what was saved under a name."""

    name: str

    @property
    def text(self) -> str:
        return self.name


@dataclasses.dataclass(frozen=True, kw_only=True)
class Blend:
    """Do several things at once, more or less of each."""

    parts: tuple[tuple[Prompt, float], ...]
    """Prompts and their weights."""

    @property
    def text(self) -> str:
        return " + ".join(f"{prompt.text} {weight:g}" for prompt, weight in self.parts)


Prompt = GoalPoint | GoalState | Velocity | Reward | RewardSamples | Skill | Blend


def _call(name: str, numbers: tuple[float, ...]) -> str:
    return f"{name}({', '.join(f'{number:.6g}' for number in numbers)})"
