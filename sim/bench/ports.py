"""Ports of this machine."""

from __future__ import annotations

import socket
import subprocess

from fb_ros.errors import FbRosError


def free_port() -> int:
    """A port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Whether something listens on `port`; raises if `process` has ended."""
    if process.poll() is not None:
        raise FbRosError(f"a process of the benchmark ended with status {process.returncode}")
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
