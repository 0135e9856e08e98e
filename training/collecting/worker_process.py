"""The processes of a pool: each makes one worker, which runs all its jobs."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

_worker: Any = None


def start_worker(make: Callable[[Any], Any], config: Any) -> None:
    """Initialises a process of a pool with the worker `make(config)`, whose `run` does the
    jobs."""
    global _worker
    # Ctrl-C reaches the whole process group; the parent process ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = make(config)


def run_in_worker(job: Any) -> Any:
    """Runs a job in this process's worker."""
    return _worker.run(job)
