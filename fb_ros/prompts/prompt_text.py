"""Prompts as one line of text, as skills keep them and as a shell or a topic carries them.

goal_point(0.1, 0.1, 0.2)
reward(tcp_pos[2] > 0.3)
wave                              a skill's name
wave 0.7 + reward(…) 0.3          a blend
"""

from __future__ import annotations

import math
import re

import numpy as np

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
)

MAX_LENGTH = 10_000
"""Most characters of a prompt that a person writes."""
MAX_SKILL_LENGTH = 10_000_000
"""Most characters of a saved skill's prompt: ten thousand labelled states fit."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""The form of a skill's name."""

RESERVED = ("save", "rename", "delete", "anew", "list")
"""Words that `prompt/skill` takes for commands, so no skill can have them as its name."""

# Characters that separate the parts of a prompt, and the most of them that a prompt may have.
_MARK = re.compile(r"[][()+]")
_MOST_MARKS, _MOST_PARTS = 20_000, 100

_DEEPEST = 3
"""Most levels of blends within blends."""

# Matches the text in front of the sign in 1e+20.
_EXPONENT = re.compile(r"(?:^|[\s.])\d*\.?\d+[eE]$")

_HELP = "goal_point(x, y, z), goal_state(…), velocity(…), reward(FORMULA) or a skill's name"


def parse_prompt(text: str, *, longest: int = MAX_LENGTH) -> Prompt:
    """Reads a prompt of at most `longest` characters; refuses any other text in one line."""
    if len(text) > longest:
        raise FbRosError(f"the prompt has {len(text)} characters, at most {longest} are allowed")
    if "\0" in text:
        raise FbRosError("the prompt holds a NUL byte, at which ROS cuts texts off; leave it out")
    return _parse(text, _DEEPEST)


def _parse(text: str, deepest: int) -> Prompt:
    parts = [_weighted(part, deepest) for part in _split(text)]
    if len(parts) == 1 and parts[0][1] is None:
        return parts[0][0]
    weights = [1.0 if weight is None else weight for _, weight in parts]
    if not any(weights):
        raise FbRosError("all weights of the blend are zero; give at least one another weight")
    prompts = [prompt for prompt, _ in parts]
    return Blend(parts=tuple(zip(prompts, weights, strict=True)))


def require_name(name: str) -> None:
    """Refuses a text that cannot be a skill's name."""
    if not NAME.fullmatch(name):
        raise FbRosError(
            f"{name[:80]!r} is no name for a skill; take a letter, then letters, digits, _ and -, "
            "64 at most"
        )
    if name in RESERVED:
        raise FbRosError(f"{name} is a command; take another name for the skill")


def _split(text: str) -> list[str]:
    """The parts between `+` signs that stand outside all brackets and numbers."""
    parts: list[str] = []
    depth = start = 0
    for number, found in enumerate(_MARK.finditer(text)):
        if number > _MOST_MARKS or len(parts) > _MOST_PARTS:
            raise FbRosError(
                f"the prompt has more than {_MOST_PARTS} parts, or {_MOST_MARKS} brackets"
            )
        character, position = found[0], found.start()
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif depth == 0:
            if _EXPONENT.search(text[max(0, position - 30) : position]):
                continue
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _weighted(text: str, deepest: int) -> tuple[Prompt, float | None]:
    text = text.strip()
    head, opened, rest = text.partition("(")
    body, closed, weight = rest.rpartition(")")
    if opened and closed and head.strip().isidentifier() and len(weight.split(maxsplit=1)) <= 1:
        return _called(head.strip(), body, deepest), _weight(weight.strip())
    name, *words = text.split(maxsplit=2) or [""]
    if len(words) > 1 or opened:
        raise FbRosError(f"{text[:80]!r} is no prompt; write {_HELP}, then a weight")
    require_name(name)
    return Skill(name=name), _weight(words[0] if words else "")


def _called(head: str, body: str, deepest: int) -> Prompt:
    if head == "reward":
        return Reward(formula=body)
    if head == "blend":
        if not deepest:
            raise FbRosError("blends within blends are nested too deeply; save one as a skill")
        return _parse(body, deepest - 1)
    if head == "reward_samples":
        return _samples(body)
    if head not in ("goal_point", "goal_state", "velocity"):
        raise FbRosError(f"there is no prompt {head[:80]!r}; write {_HELP}")
    numbers = tuple(_number(word, head) for word in body.split(","))
    if head == "goal_point":
        return GoalPoint(point=numbers)
    if head == "goal_state":
        return GoalState(values=numbers)
    if len(numbers) not in (3, 6):
        raise FbRosError(f"velocity has {len(numbers)} numbers, expected 3, or 6 with the angular")
    x, y, z, roll, pitch, yaw = (*numbers, 0.0, 0.0, 0.0)[:6]
    return Velocity(linear=(x, y, z), angular=(roll, pitch, yaw))


def _samples(body: str) -> RewardSamples:
    cells = [row.split(",") for row in body.split(";")]
    rows = [[_number(word, "reward_samples") for word in row] for row in cells]
    if len({len(row) for row in rows}) > 1 or len(rows[0]) < 2:
        raise FbRosError("reward_samples: expected rows of the same length, reward last")
    values = np.array(rows)
    return RewardSamples(features=values[:, :-1], rewards=values[:, -1])


def _weight(word: str) -> float | None:
    return _number(word, "a weight") if word else None


def _number(word: str, what: str) -> float:
    try:
        number = float(word)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise FbRosError(f"{what}: {word.strip()[:40]!r} is no finite number")
    return number
