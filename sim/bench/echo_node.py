"""A node that only echoes: the cost of a message's round trip without a policy."""

from __future__ import annotations

import contextlib

import rclpy
from rclpy.executors import ExternalShutdownException
from std_msgs.msg import Float64MultiArray

from fb_ros.nodes.qos import STREAM


def main() -> None:
    """Sends every observation back as a command, with as little code as rclpy needs."""
    rclpy.init()
    node = rclpy.create_node("echo_node")
    commands = node.create_publisher(Float64MultiArray, "commands", STREAM)
    node.create_subscription(Float64MultiArray, "observation", commands.publish, STREAM)
    with contextlib.suppress(KeyboardInterrupt, ExternalShutdownException):
        rclpy.spin(node)


if __name__ == "__main__":
    main()
