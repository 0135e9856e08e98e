"""The processes of a pool: each makes one worker, and asks it again and again."""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import Any

_worker: Any = None


def start_worker(make: Callable[[Any], Any], config: Any) -> None:
    """Initialises a process of a pool: `make(config)`, whose `run` answers its jobs."""
    global _worker
    # Ctrl-C goes to the whole group; the process that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = make(config)


def run_in_worker(job: Any) -> Any:
    """What it does then."""
    return _worker.run(job)
