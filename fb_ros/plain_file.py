"""Plain files of data, which lie where they seem to lie."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from fb_ros.errors import FbRosError


def require_plain(path: Path, folder: Path | None = None) -> Path:
    """The file that `path` is, once links are followed.

    Without `folder` a link may lead anywhere: its owner named it. A link in a `folder` of data has
    to stay inside it, or its author could have any file of the system read.

    Raises:
        FbRosError: It is missing, a folder, a FIFO or a device, or a link out of `folder`.
    """
    try:
        real = path.resolve(strict=True)
        kind = real.stat().st_mode
    except (OSError, RuntimeError) as error:  # Links that go in circles raise RuntimeError.
        raise FbRosError(f"{path} is not readable ({_reason(error)})") from error
    if folder is not None and not real.is_relative_to(folder.resolve()):
        raise FbRosError(
            f"{path} is a link to {real}, outside of {folder}; copy the file if it belongs there"
        )
    if not stat.S_ISREG(kind):
        raise FbRosError(f"{path} is no plain file, expected one with data")
    return real


def open_plain(path: Path, folder: Path | None = None) -> BinaryIO:
    """Opens such a file for reading, without waiting for a writer."""
    real = require_plain(path, folder)
    try:
        return os.fdopen(os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW), "rb")
    except OSError as error:
        raise FbRosError(f"{path} is not readable ({_reason(error)})") from error


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or " ".join(str(error).split())
