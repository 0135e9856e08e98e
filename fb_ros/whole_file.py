"""Files that are written whole or not at all, even if writing fails halfway."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from fb_ros.errors import FbRosError


class UnwritableError(FbRosError):
    """A file could not be written; its old content is unchanged."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A path to write to, which replaces `path` once all of it is on the disk.

    Raises `UnwritableError` where it cannot be written, as on a full disk; the old content stays.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        yield partial
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        reason = " ".join(str(error).split())
        raise UnwritableError(f"{path} could not be written ({reason})") from error
