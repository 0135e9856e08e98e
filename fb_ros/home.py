"""The person's home folder, which service accounts and containers do without."""

from __future__ import annotations

import os
from pathlib import Path

from fb_ros.errors import FbRosError


def kept_in(variable: str, default: str, own: str = "") -> Path:
    """The folder that the environment's `variable` names, or `default` within the home folder.

    Args:
        variable: Name of the variable, such as `XDG_CACHE_HOME`.
        default: Path within the home folder, such as `.cache`.
        own: Name of a variable that a refusal offers instead of `variable`.

    Raises:
        FbRosError: neither the variable nor a home folder exists.
    """
    named = os.environ.get(variable)
    if named:
        return expanded(Path(named))
    try:
        return Path.home() / default
    except RuntimeError as error:
        raise FbRosError(
            f"there is no home folder to keep files in; set {own or variable} to a folder, or HOME"
        ) from error


def expanded(path: Path) -> Path:
    """The path with `~` as the home folder, since shells do not expand it within quotes.

    Raises:
        FbRosError: there is no such home folder.
    """
    try:
        return path.expanduser()
    except RuntimeError as error:
        raise FbRosError(
            f"{path}: there is no such home folder; write the path in full"
        ) from error
