"""Whether nodes end on a signal, and when their parent dies; on a busy machine."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from fb_ros.bringup.start import NODES as ALL_NODES
from fb_ros.bringup.this_machine import stay_on_this_machine
from fb_ros.errors import FbRosError
from sim.client.robot_processes import RobotProcesses
from sim.progress import progress_bar

_ROBOT = "point_mass"
# What each node logs when it is up.
_UP = {"sim_node": "is up", "task_inference_node": "ready", "policy_node": "activated"}
NODES = tuple(_UP)
"""The nodes that are ended."""
# Seconds in which a node has to end after a signal, and after its parent was killed.
_END_SECONDS, _ORPHAN_SECONDS = 6.0, 2.0
_PATIENCE = 120.0
# Seconds of a start in which a signal may arrive, and until the second signal follows.
_START_SECONDS, _SECOND_SECONDS = 2.0, 0.3
# Share of the signals that arrive while the node starts.
_EARLY = 0.3


def benchmark_ends(repeats: int, killed: int, load: int) -> list[dict[str, object]]:
    """Returns a row for each node, ended `repeats` times, and for a demo `killed` that many times.

    `load` more processes keep the machine busy.
    """
    stay_on_this_machine()
    with _load(load):
        rows = [_ends(node, repeats) for node in NODES] if repeats else []
        for case, through_shell in (("demo is killed", False), ("its parent is killed", True)):
            if killed:
                rows.append(_kills(case, through_shell=through_shell, times=killed))
    return rows


@contextmanager
def _load(processes: int) -> Iterator[None]:
    running = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(processes)
    ]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()


def _ends(node: str, repeats: int) -> dict[str, object]:
    rng = np.random.default_rng(0)
    seconds, statuses = [], []
    for number in progress_bar(range(repeats), title=f"ends of {node}", unit="end"):
        taken, status = _end(node, number, rng)
        seconds.append(taken)
        statuses.append(status)
    late = sum(taken > _END_SECONDS for taken in seconds)
    failed = sum(status != 0 for status in statuses)
    return {
        "case": node,
        "times": repeats,
        "status_0": repeats - failed,
        "in_time": repeats - late,
        "p50_s": float(np.median(seconds)),
        "max_s": float(np.max(seconds)),
        "ok": not failed and not late,
    }


def _end(node: str, number: int, rng: np.random.Generator) -> tuple[float, int]:
    """Starts a node and ends it by one or two signals; returns the time it took (s), and its
    status."""
    options = {"namespace": f"ends_{number}", "seed": str(number)}
    others = {name: "" for name in ALL_NODES if name != node}
    with RobotProcesses(_ROBOT, options, modules=others) as processes:
        if rng.uniform() < _EARLY:
            time.sleep(rng.uniform(0.0, _START_SECONDS))
        else:
            _wait(lambda: _UP[node] in processes.log(node), f"{node} to be up")
            time.sleep(rng.uniform(0.0, 0.2))
        kinds = (signal.SIGINT, signal.SIGTERM)
        since = time.monotonic()
        processes.send(node, kinds[rng.integers(2)])
        if rng.uniform() < 0.5:
            time.sleep(rng.uniform(0.0, _SECOND_SECONDS))
            processes.send(node, kinds[rng.integers(2)])
        status = processes.wait(node, _PATIENCE)
        return time.monotonic() - since, status


def _kills(case: str, *, through_shell: bool, times: int) -> dict[str, object]:
    left, seconds = 0, []
    for _ in progress_bar(range(times), title=case, unit="kill"):
        lived = _kill(through_shell=through_shell)
        left += lived > _ORPHAN_SECONDS
        seconds.append(lived)
    return {
        "case": case,
        "times": times,
        "in_time": times - left,
        "p50_s": float(np.median(seconds)),
        "max_s": float(np.max(seconds)),
        "ok": not left,
    }


def _kill(*, through_shell: bool) -> float:
    """Starts a demo and kills it or its parent; returns how long its last process survived (s)."""
    demo = [sys.executable, "-m", "fb_ros.cli", "demo", "--stay", "--bundle", _ROBOT]
    words = [sys.executable, "-c", _SHELL, *demo] if through_shell else demo
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "ready" in line:
            break
    else:
        raise FbRosError(f"the demo did not start: {lines[-1] if lines else 'it said nothing'}")
    family = descendants(process.pid)
    if len(family) < len(NODES):
        raise FbRosError(f"the demo has {len(family)} processes, expected {len(NODES)} nodes")
    since = time.monotonic()
    process.kill()
    process.wait()
    _wait(lambda: not any(map(_lives, family)), "the demo's processes to end")
    return time.monotonic() - since


_SHELL = "import subprocess, sys; subprocess.run(sys.argv[1:])"


def descendants(pid: int) -> list[int]:
    """All processes that `pid` has started, directly or indirectly."""
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        stat = _stat(int(folder.name))
        if stat is not None:
            parents[int(folder.name)] = int(stat[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def _lives(pid: int) -> bool:
    stat = _stat(pid)
    return stat is not None and stat[0] != "Z"


def _stat(pid: int) -> list[str] | None:
    """State, parent's number and so on of a process; None if there is no such process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The process name comes first, in parentheses, and may hold any character.
    return text.rpartition(")")[2].split()


def _wait(done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not done():
        if time.monotonic() > deadline:
            raise FbRosError(f"waited {_PATIENCE:g} s for {what}")
        time.sleep(0.01)
