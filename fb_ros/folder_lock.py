"""One writer per folder: a lock that ends with its process, however the process ends."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fb_ros.errors import FbRosError

_LONGEST_NOTE = 200


@contextmanager
def sole_writer(folder: Path, what: str) -> Iterator[None]:
    """Keeps other writers away from a folder, which is made where it is missing.

    `what` says in a few words who writes; a second writer's refusal quotes it.

    Raises:
        FbRosError: Another process writes there, or the folder cannot be written.
    """
    made = not folder.exists()
    path = folder / ".writer.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = _locked(path, folder, f"{what}, process {os.getpid()}")
    except OSError as error:
        raise FbRosError(f"{folder} cannot be written ({error.strerror})") from error
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(lock)
        if made:
            with suppress(OSError):  # A refused writer leaves no empty folder behind.
                folder.rmdir()


def _locked(path: Path, folder: Path, note: str) -> int:
    """The descriptor that holds the lock."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    while True:
        lock = os.open(path, flags, 0o644)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(lock, _LONGEST_NOTE).decode(errors="replace")
            os.close(lock)
            raise FbRosError(
                f"{folder} is being written by {' '.join(holder.split()) or 'another process'}; "
                "wait until it is done, or choose another --out"
            ) from error
        # The last holder may have removed the file that this process has opened.
        if path.exists() and os.fstat(lock).st_ino == path.stat().st_ino:
            os.ftruncate(lock, 0)
            os.write(lock, note.encode()[:_LONGEST_NOTE])
            return lock
        os.close(lock)
