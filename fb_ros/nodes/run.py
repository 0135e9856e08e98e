"""How every node process starts and ends."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from collections.abc import Callable

import rclpy
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from fb_ros.errors import FbRosError
from fb_ros.nodes.ros_log import forward_log

# How long a node has to end after a signal.
_GRACE_SECONDS = 5.0
_KEPT: list[socket.socket] = []

RCLError = rclpy_implementation.RCLError


def run_node(
    name: str,
    make_node: Callable[[], Node],
    make_executor: Callable[[], Executor] = SingleThreadedExecutor,
) -> int:
    """Spins the node until SIGINT or SIGTERM; a refusal is one line and exit status 1.

    A node that has a method `start` gets it called first. One that has `stop_robot` gets that
    called before it ends, while it can still publish: rclpy's own signal handlers would shut the
    context down before that, so the signals are taken here. A node that hangs in a library is
    ended all the same, after a while.
    """
    stopping = False
    ended = _end_in_time(name)

    def on_signal(number: int, frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    node: Node | None = None
    try:
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        forward_log(name)
        node = make_node()
        start = getattr(node, "start", None)
        if start is not None:
            start()
        executor = make_executor()
        executor.add_node(node)
        while not stopping and rclpy.ok():
            executor.spin_once(timeout_sec=0.1)
        return 0
    except (FbRosError, ParameterException, NameValidationException, RCLError) as error:
        print(f"{name}: error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
        return 1
    finally:
        if node is not None:
            stop_robot = getattr(node, "stop_robot", None)
            if stop_robot is not None:
                stop_robot()
            node.destroy_node()
        rclpy.try_shutdown()
        ended.set()


def _end_in_time(name: str) -> threading.Event:
    """Ends the process some seconds after a signal, unless the event that it returns is set.

    A signal's handler waits for the main thread, which may never come back from a library; what
    the interpreter writes into a socket when the signal comes does not.
    """
    ended = threading.Event()
    received, written = socket.socketpair()
    written.setblocking(False)
    signal.set_wakeup_fd(written.fileno(), warn_on_full_buffer=False)

    def wait() -> None:
        received.recv(1)
        if not ended.wait(_GRACE_SECONDS):
            print(
                f"{name}: error: it hangs since it was told to end {_GRACE_SECONDS:g} s ago",
                file=sys.stderr,
                flush=True,
            )
            os._exit(1)

    # As long as the process: the interpreter knows no more of the socket than its number.
    _KEPT.append(written)
    threading.Thread(target=wait, name="end in time", daemon=True).start()
    return ended
