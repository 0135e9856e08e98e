"""A file of reward formulas: one per line, `#` starts a comment."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fb_ros.errors import FbRosError


@dataclasses.dataclass(frozen=True, kw_only=True)
class ListedFormula:
    """One formula of a file."""

    line: int
    """Line number, from 1."""
    text: str


def read_formulas(path: Path) -> list[ListedFormula]:
    """The formulas of the file `path`, in order; refuses a file without any."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise FbRosError(f"the formulas in {path} cannot be read: {error}") from None
    # Formulas contain no `#`.
    texts = [line.partition("#")[0].strip() for line in lines]
    found = [ListedFormula(line=number, text=text) for number, text in enumerate(texts, 1) if text]
    if not found:
        raise FbRosError(f"{path} holds no formula; write one a line")
    return found
