"""Claims on a name, held by one process of this machine at a time."""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from pathlib import Path
from typing import IO

from fb_ros.errors import FbRosError


class Claim:
    """Holds `name` on this ROS domain until it is released or its process ends.

    Discovery over DDS finds a second robot of a name on other machines, too, but on a busy one
    it can take seconds; this is certain and immediate.
    """

    def __init__(self, name: str, *, refusal: str) -> None:
        """Refuses with `refusal` when another process holds the name."""
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        digest = hashlib.sha256(f"{domain} {name}".encode()).hexdigest()[:16]
        path = Path(tempfile.gettempdir()) / f"fb_ros_{os.getuid()}_{digest}.lock"
        self._file: IO[bytes] = path.open("ab")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise FbRosError(refusal) from error

    def release(self) -> None:
        """Lets others have the name."""
        self._file.close()
