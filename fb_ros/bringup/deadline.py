"""Ends the process at a set time, whatever it is doing then."""

from __future__ import annotations

import ctypes
import os
import sys
import threading

_CLOCK_MONOTONIC, _SIGEV_THREAD = 1, 2


class _Event(ctypes.Structure):
    """`struct sigevent` of 64-bit Linux."""

    _fields_ = (
        ("value", ctypes.c_void_p),
        ("number", ctypes.c_int),
        ("notify", ctypes.c_int),
        ("function", ctypes.c_void_p),
        ("attributes", ctypes.c_void_p),
        ("rest", ctypes.c_char * 32),
    )


class _Times(ctypes.Structure):
    """`struct itimerspec`."""

    _fields_ = (
        ("interval_s", ctypes.c_long),
        ("interval_ns", ctypes.c_long),
        ("value_s", ctypes.c_long),
        ("value_ns", ctypes.c_long),
    )


class Deadline:
    """Ends the process with a status, some seconds from now, unless it is called off.

    A library that hangs may hold the interpreter, so that no Python thread runs any more. A timer
    of the kernel still works: it starts a C thread, whose only call is `_exit`.
    """

    def __init__(self, seconds: float, status: int) -> None:
        self._timer: ctypes.c_void_p | None = None
        self._thread: threading.Timer | None = None
        if sys.platform.startswith("linux") and sys.maxsize > 2**32:
            self._libc = ctypes.CDLL(None, use_errno=True)
            function = ctypes.cast(self._libc._exit, ctypes.c_void_p).value
            event = _Event(value=status, notify=_SIGEV_THREAD, function=function)
            timer = ctypes.c_void_p()
            if not self._libc.timer_create(
                _CLOCK_MONOTONIC, ctypes.byref(event), ctypes.byref(timer)
            ):
                self._timer = timer
                self._set(seconds)
                return
        # Other systems lack such a timer, so a Python thread takes its place.
        self._thread = threading.Timer(seconds, os._exit, (status,))
        self._thread.daemon = True
        self._thread.start()

    def call_off(self) -> None:
        """Cancels the deadline."""
        if self._timer is not None:
            self._set(0.0)
        if self._thread is not None:
            self._thread.cancel()

    def _set(self, seconds: float) -> None:
        whole = int(seconds)
        times = _Times(value_s=whole, value_ns=int((seconds - whole) * 1e9))
        self._libc.timer_settime(self._timer, 0, ctypes.byref(times), None)
