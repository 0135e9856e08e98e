"""A process that is told to end ends, whatever it does by then; and it ends with its parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fb_ros.bringup.ending import GRACE_SECONDS

# A node as the starter knows one: a module with a `main`.
NODE = """
import ctypes, sys, time
from fb_ros.bringup.ending import ENDING

def main():
    print("loading", flush=True)
    if "slow" in sys.argv:
        time.sleep(60)
    ENDING.start()
    print("up", flush=True)
    if "hang" in sys.argv:
        ctypes.PyDLL(None).sleep(60)  # holds the interpreter
    if "wait" in sys.argv:
        time.sleep(60)
    while not ENDING.requested:
        time.sleep(0.01)
    ENDING.robot_stands(0)
    if "leave" in sys.argv:
        ctypes.PyDLL(None).sleep(60)
    if "stick" in sys.argv:
        ENDING.call_off()
        time.sleep(0.3)
    return 0
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    (tmp_path / "lone_node.py").write_text(NODE, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}

    def begin(*words: str, until: str = "up") -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "fb_ros.bringup.start", "lone_node", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            # Under nohup, which the suite may run under, SIGHUP is ignored.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == until:
                return process
        raise AssertionError("it ended")

    return begin


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_with_status_0(start: Start, number: signal.Signals) -> None:
    process = start()
    process.send_signal(number)
    assert process.wait(10.0) == 0


def test_a_second_signal_changes_nothing(start: Start) -> None:
    process = start("stick")
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10.0) == 0


def test_what_still_loads_ends_at_once_and_in_silence(start: Start) -> None:
    process = start("slow", until="loading")
    process.send_signal(signal.SIGINT)
    assert process.wait(10.0) == 0
    assert process.stdout is not None
    assert process.stdout.read() == ""


@pytest.mark.slow
def test_a_library_that_holds_the_interpreter_while_it_leaves_is_ended(start: Start) -> None:
    process = start("leave")
    since = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(20.0) == 0
    assert time.monotonic() - since < GRACE_SECONDS + 1.0


@pytest.mark.slow
def test_what_hangs_before_the_robot_stands_ends_with_status_1_and_says_so(start: Start) -> None:
    process = start("wait")
    process.send_signal(signal.SIGTERM)
    assert process.wait(20.0) == 1
    assert process.stdout is not None
    said = process.stdout.read()
    assert "lone_node: error: it hangs since it was told to end" in said
    assert "Timeout" in said


def test_it_ends_when_nobody_reads_what_it_says(start: Start) -> None:
    process = start("stick")
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGTERM)
    assert process.wait(10.0) == 0


PARENT = """
import subprocess, sys, time
child = subprocess.Popen(
    [sys.executable, "-m", "fb_ros.bringup.start", "--parent", str(__import__("os").getpid()),
     "lone_node"], stdout=subprocess.PIPE, text=True)
for line in child.stdout:
    if line.strip() == "up":
        break
print(child.pid, flush=True)
time.sleep(60)
"""


def test_it_ends_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "lone_node.py").write_text(NODE, encoding="utf-8")
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 10.0
    while _lives(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _lives(pid: int) -> bool:
    """Whether that process runs: one that has ended waits for whoever takes its status."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
