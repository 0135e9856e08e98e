"""Prompts as one line of text, as skills keep them and as a shell or a topic carries them.

goal_point(0.1, 0.1, 0.2)
reward(tcp_pos[2] > 0.3)
wave                              a skill's name
wave 0.7 + reward(…) 0.3          a blend
"""

from __future__ import annotations

import math
import re

from fb_ros.errors import FbRosError
from fb_ros.prompt import Blend, GoalPoint, GoalState, Prompt, Reward, Skill, Velocity

MAX_LENGTH = 10_000
"""Characters of a prompt."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
"""What a skill may be called."""

_HELP = "goal_point(x, y, z), goal_state(…), velocity(…), reward(FORMULA) or a skill's name"


def parse_prompt(text: str) -> Prompt:
    """Reads a prompt; refuses in one line what is none."""
    if len(text) > MAX_LENGTH:
        raise FbRosError(f"the prompt has {len(text)} characters, at most {MAX_LENGTH} will do")
    parts = [_weighted(part) for part in _split(text)]
    if len(parts) == 1 and parts[0][1] is None:
        return parts[0][0]
    weights = [1.0 if weight is None else weight for _, weight in parts]
    if not any(weights):
        raise FbRosError("all weights of the blend are zero; give at least one another weight")
    prompts = [prompt for prompt, _ in parts]
    return Blend(parts=tuple(zip(prompts, weights, strict=True)))


def require_name(name: str) -> None:
    """Refuses what a skill cannot be called."""
    if not NAME.fullmatch(name):
        raise FbRosError(
            f"{name[:80]!r} is no name for a skill; take a letter, then letters, digits, _ and -, "
            "64 at most"
        )


def _split(text: str) -> list[str]:
    """The parts between the `+` that stand outside of all brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == "+" and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _weighted(text: str) -> tuple[Prompt, float | None]:
    text = text.strip()
    call = re.fullmatch(r"(\w+)\s*\((.*)\)\s*(\S*)", text, flags=re.DOTALL)
    if call:
        head, body, weight = call.groups()
        return _called(head, body), _weight(weight)
    name, *rest = text.split() or [""]
    if len(rest) > 1:
        raise FbRosError(f"{text[:80]!r} is no prompt; write {_HELP}, then a weight")
    require_name(name)
    return Skill(name=name), _weight(rest[0] if rest else "")


def _called(head: str, body: str) -> Prompt:
    if head == "reward":
        return Reward(formula=body)
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
