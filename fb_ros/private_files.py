"""Folders and files that no other user can have made, changed or replaced by a link."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from fb_ros.errors import FbRosError

# How many folders are tried if others have taken the ones before.
_TRIES = 16
_OTHERS_MAY_WRITE = stat.S_IWGRP | stat.S_IWOTH


def runtime_folder() -> Path:
    """The folder where this user's processes meet: `XDG_RUNTIME_DIR`, or one of mode 0700.

    Raises:
        FbRosError: Other users have taken all folders that could serve.
    """
    given = os.environ.get("XDG_RUNTIME_DIR")
    if given and _is_private(Path(given)):
        return Path(given)
    shared = Path(tempfile.gettempdir())
    for number in range(_TRIES):
        folder = shared / (f"fb_ros_{os.getuid()}" + (f"_{number}" if number else ""))
        try:
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            continue
        if _is_private(folder):
            return folder
    raise FbRosError(
        f"there is no folder of your own in {shared} and XDG_RUNTIME_DIR names none; set it to a "
        "folder that only you can write to"
    )


def open_private(path: Path) -> int:
    """A descriptor of the file, which is made where it is missing; refuses to follow a link.

    Raises:
        OSError: It is a link, or cannot be opened.
    """
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def read_trusted(path: Path, most_bytes: int) -> bytes:
    """The content of a file that only this user or root can write.

    Raises:
        FileNotFoundError: There is none.
        OSError: It is a link, not readable, another user may write it, or it has more bytes.
    """
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise OSError(f"{path} is no plain file")
        if not _is_trusted(status):
            raise OSError(
                f"another user may write {path}; `chmod go-w` it, if it is what you put there"
            )
        if status.st_size > most_bytes:
            raise OSError(f"{path} has {status.st_size} bytes, at most {most_bytes} are read")
        return file.read(most_bytes)


def is_trusted_folder(folder: Path) -> bool:
    """Whether only this user or root can write to a folder, once links are followed."""
    try:
        return _is_trusted(folder.resolve().stat())
    except OSError:
        return False


def _is_private(folder: Path) -> bool:
    """Whether it is a folder, not a link to one, into which no other user can even look."""
    try:
        status = folder.lstat()
    except OSError:
        return False
    mode = stat.S_IMODE(status.st_mode)
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and not mode & 0o077


def _is_trusted(status: os.stat_result) -> bool:
    return status.st_uid in (0, os.getuid()) and not status.st_mode & _OTHERS_MAY_WRITE
