"""A process that ends with the one that started it, however that ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1

PARENT_SIGNAL = signal.SIGUSR1
"""What comes when the parent is gone; to be told from a mere thread of it by `has_left`."""


def follow(parent: int) -> None:
    """From now on `PARENT_SIGNAL` comes when the process number `parent` ends, even if killed.

    It comes, too, when only the thread ends that had started this process, so ask `has_left`.
    Does nothing where the kernel is not Linux.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(PARENT_SIGNAL), 0, 0, 0)
    if has_left(parent):
        # It was gone before the kernel had been asked.
        os.kill(os.getpid(), PARENT_SIGNAL)


def has_left(parent: int) -> bool:
    """Whether that process is not this one's parent any more."""
    return os.getppid() != parent


def interrupt_with_it() -> None:
    """From now on the end of this command's parent ends it, as Ctrl-C does.

    Not where it was started to stay: by `nohup`, or by the machine's first process.
    """
    if _is_to_outlive_it() or threading.current_thread() is not threading.main_thread():
        return
    parent = os.getppid()

    def on_signal(number: int, frame: object) -> None:
        if has_left(parent):
            raise KeyboardInterrupt

    signal.signal(PARENT_SIGNAL, on_signal)
    follow(parent)


def _is_to_outlive_it() -> bool:
    return os.getppid() <= 1 or signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
