"""Files that are written whole or not at all, even if writing fails halfway."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from safetensors import SafetensorError

from fb_ros.errors import FbRosError


class UnwritableError(FbRosError):
    """A file could not be written; its old content is unchanged."""


@contextlib.contextmanager
def whole_file(path: Path, writer: str = "") -> Iterator[Path]:
    """A path to write to, which replaces `path` once all of it is on the disk.

    `writer` tells apart the unfinished files of several processes that may write `path` at once.

    Raises:
        UnwritableError: It cannot be written, as on a full disk; the old content stays.
    """
    partial = path.with_name(".".join([path.name, *filter(None, [writer]), "partial"]))
    try:
        yield partial
        with os.fdopen(os.open(partial, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
    except (OSError, SafetensorError) as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        reason = " ".join(str(error).split())
        raise UnwritableError(f"{path} could not be written ({reason})") from error
