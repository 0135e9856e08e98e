"""The process of the page: `web_node`."""

from __future__ import annotations

import os
import sys

from rclpy.experimental import EventsExecutor

from fb_ros.nodes.run import run_node

# On a busy machine the robot's nodes come first.
_NICENESS = 5


def main() -> int:
    """Entry point of the process."""
    try:
        from sim.web.node import WebNode
    except ModuleNotFoundError as error:
        print(
            f"web_node: error: the Python package {error.name} is missing; install it with "
            "`pip install 'fb_ros[sim,web]'`",
            file=sys.stderr,
        )
        return 1
    os.nice(_NICENESS)
    return run_node("web_node", WebNode, EventsExecutor)


if __name__ == "__main__":
    sys.exit(main())
