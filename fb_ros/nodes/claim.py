"""Claims on a name: one process of this user on this machine holds one at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
from typing import IO

from fb_ros.errors import FbRosError
from fb_ros.private_files import open_private, runtime_folder


class Claim:
    """Holds `name` on this ROS domain until it is released or its process ends.

    Discovery over DDS also finds a second robot of a name on other machines, but on a busy one it
    can take seconds; a claim is certain and immediate.
    """

    def __init__(self, name: str, *, refusal: str) -> None:
        """Refuses with `refusal` when another process holds the name."""
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        digest = hashlib.sha256(f"{domain} {name}".encode()).hexdigest()[:16]
        path = runtime_folder() / f"fb_ros_{digest}.lock"
        try:
            self._file: IO[bytes] = os.fdopen(open_private(path), "r+b")
        except OSError as error:
            raise FbRosError(f"{path} cannot be opened ({error.strerror}); remove it") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise FbRosError(refusal) from error

    def release(self) -> None:
        """Frees the name for others."""
        self._file.close()
