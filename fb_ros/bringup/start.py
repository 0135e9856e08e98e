"""Runs first in a node's process: takes signals before anything slow is loaded.

`python -m fb_ros.bringup.start [--parent PID] MODULE [ARGUMENTS…]` runs the `main` of a module.
"""

from __future__ import annotations

import importlib
import os
import sys

from fb_ros.bringup.ending import ENDING

NODES = {
    "sim_node": "sim.node.sim_node",
    "task_inference_node": "fb_ros.nodes.task_inference_node",
    "policy_node": "fb_ros.nodes.policy_node",
    "twin_node": "sim.node.twin_node",
    "web_node": "sim.web.web_node",
}
"""The module of each node."""


def main() -> None:
    """Entry point of `python -m`."""
    words, parent = sys.argv[1:], None
    if words[:1] == ["--parent"]:
        parent, words = int(words[1]), words[2:]
    run(words[0], words[1:], parent)


def run(module: str, arguments: list[str], parent: int | None = None) -> None:
    """Runs the `main` of `module` and ends the process with its status.

    With `parent`, the process ends when the process of that number does. NumPy gets one thread
    unless the environment says otherwise: a node's products are small, and a second thread of
    OpenBLAS spins for a tenth of a second after each of them, on the core that another node needs.
    """
    ENDING.install(parent)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    sys.argv = [module, *arguments]
    ENDING.leave(importlib.import_module(module).main())


def sim_node() -> None:
    """Entry point of the executable."""
    run(NODES["sim_node"], sys.argv[1:])


def task_inference_node() -> None:
    """Entry point of the executable."""
    run(NODES["task_inference_node"], sys.argv[1:])


def policy_node() -> None:
    """Entry point of the executable."""
    run(NODES["policy_node"], sys.argv[1:])


def twin_node() -> None:
    """Entry point of the executable."""
    run(NODES["twin_node"], sys.argv[1:])


def web_node() -> None:
    """Entry point of the executable."""
    run(NODES["web_node"], sys.argv[1:])


if __name__ == "__main__":
    main()
