"""Starts and ends every node process."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.executors import Executor, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from fb_ros.bringup.ending import ENDING
from fb_ros.bringup.this_machine import leave_shared_memory
from fb_ros.errors import FbRosError
from fb_ros.nodes.ros_log import forward_log

RCLError = rclpy_implementation.RCLError
# DDS has no ports beyond this domain (docs.ros.org, "The ROS_DOMAIN_ID").
_LAST_DOMAIN = 232


def init_ros(**options: Any) -> None:
    """Calls `rclpy.init(**options)`, over UDP alone unless the environment says otherwise.

    Raises:
        FbRosError: rclpy cannot start; the line names the variable to set.
    """
    domain = os.environ.get("ROS_DOMAIN_ID", "")
    if domain and not (domain.isascii() and domain.isdecimal() and int(domain) <= _LAST_DOMAIN):
        raise FbRosError(
            f"ROS_DOMAIN_ID is {domain!r}, expected a whole number from 0 to {_LAST_DOMAIN}"
        )
    leave_shared_memory()
    try:
        rclpy.init(**options)
    except RCLError as error:
        reason = " ".join(str(error).split())
        hint = ""
        if "log" in reason.lower() or "home" in reason.lower() or "director" in reason.lower():
            hint = "; set ROS_LOG_DIR to a folder that can be written to"
        raise FbRosError(f"ROS does not start ({reason}){hint}") from error


def run_node(
    name: str,
    make_node: Callable[[], Node],
    make_executor: Callable[[], Executor] = SingleThreadedExecutor,
) -> int:
    """Spins the node until SIGINT or SIGTERM; a refusal is one line and exit status 1.

    A node's method `start`, if it has one, is called first. Its method `stop_robot` is called
    before the node ends, while it can still publish: rclpy's own signal handlers would shut the
    context down before that, so `ENDING` takes the signals.
    """
    ENDING.install()
    node: Node | None = None
    status = 0
    try:
        init_ros(signal_handler_options=SignalHandlerOptions.NO)
        forward_log(name)
        node = make_node()
        start = getattr(node, "start", None)
        if start is not None:
            start()
        executor = make_executor()
        executor.add_node(node)
        # A task is what ends the executor's wait, whatever its kind.
        ENDING.start(lambda: executor.create_task(lambda: None))
        while not ENDING.requested and rclpy.ok():
            executor.spin_once(timeout_sec=0.1)
    except (FbRosError, ParameterException, NameValidationException, RCLError) as error:
        status = 1
        with contextlib.suppress(OSError):
            line = " ".join(str(error).split())
            print(f"{name}: error: {line}", file=sys.stderr, flush=True)
    finally:
        if node is not None:
            stop_robot = getattr(node, "stop_robot", None)
            if stop_robot is not None:
                stop_robot()
            # From here on only the middleware says goodbye to other processes.
            ENDING.robot_stands(status)
            node.destroy_node()
        rclpy.try_shutdown()
        ENDING.call_off()
    return status
