"""Checks that every name, list and number of a robot's description must pass."""

from __future__ import annotations

import math
import re

from fb_ros.errors import FbRosError, shown

MOST_ENTRIES = 256
"""Most entries of any list: joints, fields, blocks."""
MOST_CHARACTERS = 1000
"""Most characters of any text."""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def require_name(what: str, value: object) -> None:
    """Refuses a name that is not plain: letters, digits, `_` and `-`, at most 64 of them.

    Names become folders, topics and words of formulas.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise FbRosError(
            f"{what} is {shown(value)}, expected a name of letters, digits, _ and -, "
            "at most 64 of them"
        )


def require_names(what: str, values: object) -> None:
    """Refuses anything but a tuple of plain names without repetition."""
    for value in require_list(what, values):
        require_name(f"an entry of {what}", value)
    assert isinstance(values, tuple)
    if len(set(values)) < len(values):
        raise FbRosError(f"{what} names something twice: {shown(list(values))}")


def require_list(what: str, values: object) -> tuple[object, ...]:
    """Returns the values; refuses anything but a tuple of at most `MOST_ENTRIES`."""
    if not isinstance(values, tuple):
        raise FbRosError(f"{what} is {shown(values)}, expected a list")
    if len(values) > MOST_ENTRIES:
        raise FbRosError(f"{what} has {len(values)} entries, at most {MOST_ENTRIES} are taken")
    return values


def require_numbers(what: str, values: object, *, gaps: bool = False) -> None:
    """Refuses anything but a tuple of finite numbers; with `gaps`, of None as well."""
    for value in require_list(what, values):
        if not is_number(value) and not (gaps and value is None):
            raise FbRosError(f"{what} holds {shown(value)}, expected finite numbers")


def require_text(what: str, value: object) -> None:
    """Refuses anything but a text of a bounded length without control characters."""
    if not isinstance(value, str) or len(value) > MOST_CHARACTERS or not value.isprintable():
        raise FbRosError(
            f"{what} is {shown(value)}, expected a text of at most {MOST_CHARACTERS} "
            "printable characters"
        )


def is_number(value: object) -> bool:
    """Whether the value is a finite number that a float can hold; a truth value is no number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
