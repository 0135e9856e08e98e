"""Another checkout of fb_ros, whose commands run in this Python environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fb_ros.errors import FbRosError

HERE = Path(__file__).resolve().parents[2]
"""This checkout."""


def require_checkout(path: Path) -> None:
    """Refuses a path at which there is no checkout of fb_ros."""
    if not (path / "training").is_dir() or not (path / "fb_ros" / "cli.py").is_file():
        raise FbRosError(f"{path} is no checkout of fb_ros; make one with `git worktree add`")


def command_in(checkout: Path, words: Sequence[str]) -> dict[str, Any]:
    """The arguments of `subprocess.run` for `fb_ros WORDS…` of the checkout."""
    return {
        "args": [sys.executable, "-m", "fb_ros.cli", *words],
        "cwd": checkout,
        "env": {**os.environ, "PYTHONPATH": str(checkout)},
    }
