"""Checks that all kinds of settings share: a choice of several, and a lower bound."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from fb_ros.errors import FbRosError

T = TypeVar("T", bound=str)


def require_one_of(name: str, value: str, choices: Sequence[T]) -> T:
    """Returns `value` as one of `choices`.

    Raises:
        FbRosError: it is none of them; the line names the setting and all choices.
    """
    for choice in choices:
        if value == choice:
            return choice
    raise FbRosError(f"{name} is {value!r}, expected one of {', '.join(choices)}")


def require_at_least(settings: object, least: float, *names: str) -> None:
    """Refuses settings, attributes of these names, that are below `least` or not numbers.

    Raises:
        FbRosError: one of them is refused; the line names the first.
    """
    for name in names:
        value = getattr(settings, name)
        if not value >= least:
            raise FbRosError(f"{name} is {value}, expected at least {least:g}")
