"""Records of commands, as JSON beside their output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fb_ros.errors import FbRosError
from fb_ros.plain_file import open_plain
from fb_ros.whole_file import whole_file

_MOST_BYTES = 64 << 20


def read_record(path: Path) -> dict[str, Any]:
    """Reads a record; refuses one that is missing or damaged."""
    try:
        with open_plain(path) as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise FbRosError(f"{path} has more than {_MOST_BYTES} bytes, which no record needs")
        record = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise FbRosError(f"{path} is not readable: {error}") from error
    if not isinstance(record, dict):
        raise FbRosError(f"{path} holds {type(record).__name__}, expected an object")
    return record


def first_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """The first entry of `now` that differs in `before`; empty if all are the same."""
    return next((name for name, value in now.items() if before.get(name) != value), "")


def write_record(path: Path, record: dict[str, Any]) -> None:
    """Writes a record completely or not at all."""
    with whole_file(path) as partial:
        partial.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
