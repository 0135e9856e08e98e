"""Our processes talk over UDP: a hung reader must not hold up who publishes to it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fb_ros.bringup.this_machine import PROFILES, RANGE

# Prints the names of its threads once a node is up.
_PROGRAM = """
from pathlib import Path
import rclpy
from fb_ros.nodes.run import init_ros
init_ros()
node = rclpy.create_node("threads")
print(*(path.read_text() for path in Path("/proc/self/task").glob("*/comm")), sep="")
rclpy.shutdown()
"""
_CHOSEN = "FASTDDS_BUILTIN_TRANSPORTS"


def threads(changes: dict[str, str]) -> str:
    kept = {name: value for name, value in os.environ.items() if name != _CHOSEN}
    environment = kept | changes
    command = [sys.executable, "-c", _PROGRAM]
    return subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=120
    ).stdout


UNDECIDED = dict.fromkeys(PROFILES, "")


@pytest.mark.parametrize("changes", [{}, UNDECIDED | {RANGE: "SUBNET"}], ids=["here", "subnet"])
def test_nothing_goes_through_shared_memory(changes: dict[str, str]) -> None:
    names = threads(changes)
    assert "dds.udp" in names
    assert "dds.shm" not in names


def test_the_users_transports_stand() -> None:
    assert "dds.shm" in threads(UNDECIDED | {RANGE: "SUBNET", _CHOSEN: "DEFAULT"})
