"""Refusals of a formula that name the character at fault."""

from __future__ import annotations

from fb_ros.errors import FbRosError


class PlacedError(FbRosError):
    """A refusal that already names the place."""


def offset(text: str, line: int, column: int) -> int:
    """Position in `text` of a column (from 0) of a line (from 1)."""
    return sum(len(part) + 1 for part in text.split("\n")[: line - 1]) + column


def placed_error(text: str, position: int, why: str) -> FbRosError:
    """A refusal of the text at `position` (from 0), quoting it."""
    position = min(position, max(len(text) - 1, 0))
    rest = text[position : position + 20].split("\n")[0]
    more = "…" if len(text) > position + 20 else ""
    return PlacedError(f"at character {position + 1}, {rest + more!r}: {why}")
