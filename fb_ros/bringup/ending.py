"""Ends a node's process on a signal: soon, in order, and even if a library hangs."""

from __future__ import annotations

import contextlib
import faulthandler
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from fb_ros.bringup import parent
from fb_ros.bringup.deadline import Deadline

# Seconds that a node has after a signal to stop its robot and to leave the ROS graph.
GRACE_SECONDS = 5.0
# Least part of these seconds that is left for leaving.
_LEAVE_SECONDS = 0.5


class Ending:
    """Takes the signals that end a process; a process has one `Ending`.

    While the process starts, they end it at once, with status 0: nothing moves yet. Later they are
    a request, which the node's loop sees; a node that still runs `GRACE_SECONDS` afterwards is
    ended. Further signals change nothing.
    """

    def __init__(self) -> None:
        self.requested = False
        """Whether the process is to end."""
        self._installed = self._started = False
        self._parent: int | None = None
        self._requested_at = 0.0
        self._wake: Callable[[], object] = lambda: None
        self._deadline: Deadline | None = None
        self._reproach: threading.Timer | None = None
        self._lock = threading.Lock()

    def install(self, parent_pid: int | None = None) -> None:
        """Makes SIGINT, SIGTERM, SIGHUP, and the end of the process `parent_pid`, end this one.

        Call it in the main thread; signals that were held back come now.
        """
        if self._installed:
            return
        self._installed, self._parent = True, parent_pid
        numbers = {signal.SIGINT, signal.SIGTERM}
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            numbers.add(signal.SIGHUP)
        if parent_pid is not None:
            numbers.add(parent.PARENT_SIGNAL)
        # Python's handlers wait for the main thread, which may be in a library. The interpreter
        # writes signals into a socket without waiting.
        self._received, self._written = socket.socketpair()
        self._written.setblocking(False)
        signal.set_wakeup_fd(self._written.fileno(), warn_on_full_buffer=False)
        for number in numbers:
            signal.signal(number, lambda number, frame: None)
        threading.Thread(target=self._listen, name="signals", daemon=True).start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, numbers)
        if parent_pid is not None:
            parent.follow(parent_pid)

    def start(self, wake: Callable[[], object] = lambda: None) -> None:
        """Ends the start: from now on a signal is a request.

        `wake` is called after the request, in another thread than the node's loop, so that the
        loop does not sleep over it.
        """
        with self._lock:
            self._started, self._wake = True, wake

    def robot_stands(self, status: int) -> None:
        """Records that the robot stands: a process that hangs later is ended with `status`."""
        passed = time.monotonic() - self._requested_at if self.requested else 0.0
        self.call_off()
        self._deadline = Deadline(max(GRACE_SECONDS - passed, _LEAVE_SECONDS), status)

    def call_off(self) -> None:
        """Cancels the deadline, because the work it was set for has ended."""
        if self._deadline is not None:
            self._deadline.call_off()
            if self._reproach is not None:
                self._reproach.cancel()
            faulthandler.cancel_dump_traceback_later()

    def leave(self, status: int) -> None:
        """Ends the process now. No library's destructor runs, since one might hang or crash."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError):
                # Nobody reads the socket any more.
                continue
        os._exit(status)

    def _listen(self) -> None:
        while True:
            for number in self._received.recv(64):
                is_parents = number == parent.PARENT_SIGNAL and self._parent is not None
                if is_parents and not parent.has_left(self._parent or 0):
                    # Only a thread of the parent has ended.
                    continue
                self._request()

    def _request(self) -> None:
        with self._lock:
            if not self._started:
                os._exit(0)
            if self.requested:
                return
            self.requested, self._requested_at = True, time.monotonic()
        # The stack trace shows where the process hangs, for a report; it does not need the
        # interpreter, either.
        with contextlib.suppress(OSError, ValueError, RuntimeError, AttributeError):
            faulthandler.dump_traceback_later(GRACE_SECONDS - 0.2, exit=False)
        self._deadline = Deadline(GRACE_SECONDS, 1)
        self._reproach = threading.Timer(GRACE_SECONDS - 0.3, _say_that_it_hangs)
        self._reproach.daemon = True
        self._reproach.start()
        # An executor that is about to end refuses in its own ways; the loop ends without it.
        with contextlib.suppress(Exception):
            self._wake()


def _say_that_it_hangs() -> None:
    """Prints that the node hangs, if a thread can run; the stack trace comes in any case."""
    name = Path(sys.argv[0]).name.removesuffix(".py").rpartition(".")[2]
    with contextlib.suppress(OSError, ValueError):
        print(
            f"{name}: error: it hangs since it was told to end {GRACE_SECONDS:g} s ago",
            file=sys.stderr,
            flush=True,
        )


ENDING = Ending()
"""The `Ending` of this process."""
