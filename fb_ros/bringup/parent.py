"""Makes a process end with the one that started it, however that one ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1
# What a shell shows of a command that Ctrl-C has ended.
_INTERRUPTED = 130

PARENT_SIGNAL = signal.SIGUSR1
"""The signal that comes when the parent is gone; `has_left` tells this from the end of one of the
parent's threads."""


def follow(parent: int) -> None:
    """Sends this process `PARENT_SIGNAL` when the process number `parent` ends, even if killed.

    The signal also comes when only the thread ends that had started this process, so ask
    `has_left`. Does nothing where the kernel is not Linux.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(PARENT_SIGNAL), 0, 0, 0)
    if has_left(parent):
        # The parent was gone before the kernel was asked.
        os.kill(os.getpid(), PARENT_SIGNAL)


def has_left(parent: int) -> bool:
    """Whether process number `parent` is no longer this one's parent."""
    return os.getppid() != parent


def end_with_it() -> None:
    """Makes the end of this command's parent end it at once, and its nodes with it.

    A command that was started to stay, by `nohup` or by the machine's first process, goes on.
    """
    if _is_to_outlive_it() or threading.current_thread() is not threading.main_thread():
        return
    parent = os.getppid()

    def on_signal(number: int, frame: object) -> None:
        if has_left(parent):
            # Nobody is left to wait for more; the nodes stop the robot by themselves.
            os._exit(_INTERRUPTED)

    signal.signal(PARENT_SIGNAL, on_signal)
    follow(parent)


def _is_to_outlive_it() -> bool:
    return os.getppid() <= 1 or signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
