"""How every node process starts and ends."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Protocol

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from fb_ros.errors import FbRosError


class ServableNode(Protocol):
    """What `run_node` needs of a node beside being one."""

    def stop_robot(self) -> None:
        """Called once before the node ends, while it can still publish."""


def run_node(make_node: Callable[[], Node], argv: list[str] | None = None) -> int:
    """Spins the node until SIGINT or SIGTERM; a refusal is one line and exit status 1.

    rclpy's own signal handlers shut the context down before a last command could be sent, so
    the signals are taken here.
    """
    stopping = False

    def on_signal(number: int, frame: object) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)
    rclpy.init(args=argv, signal_handler_options=SignalHandlerOptions.NO)
    node: Node | None = None
    try:
        node = make_node()
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        while not stopping and rclpy.ok():
            executor.spin_once(timeout_sec=0.1)
        return 0
    except FbRosError as error:
        name = node.get_name() if node else "fb_ros"
        print(f"{name}: error: {error}", file=sys.stderr, flush=True)
        return 1
    finally:
        if node is not None:
            stop_robot = getattr(node, "stop_robot", None)
            if stop_robot is not None:
                stop_robot()
            node.destroy_node()
        rclpy.try_shutdown()
