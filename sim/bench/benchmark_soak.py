"""Whether the nodes last: prompts and faults for a long time, and the memory they take."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import rclpy

from fb_ros.bringup.this_machine import stay_on_this_machine
from sim.bench.benchmark_faults import inject
from sim.bench.fault_bench import FaultBench, fault_bench
from sim.bench.faults import FAULTS
from sim.progress import progress_bar

_PROMPT_EVERY, _FAULT_EVERY = 2.0, 20.0
# Memory that a process takes in its first seconds is not a leak.
_SETTLED = 60.0
_NODES = ("policy_node", "task_inference_node")


def benchmark_soak(seconds: float) -> list[dict[str, object]]:
    """Returns a row for each node: its memory and open files after a minute and at the end.

    A prompt is published every two seconds and a fault made every twenty. Faults that end a
    process are left out, since its memory could not be compared.
    """
    stay_on_this_machine()
    rclpy.init()
    try:
        with fault_bench() as bench:
            bench.start()
            return _soak(bench, seconds)
    finally:
        rclpy.try_shutdown()


def _soak(bench: FaultBench, seconds: float) -> list[dict[str, object]]:
    pids = {node: bench.processes.pid(node) for node in _NODES}
    faults = itertools.cycle(fault for fault in FAULTS if fault.keeps_processes)
    started = time.monotonic()
    settled: dict[str, tuple[float, int]] = {}
    largest = dict.fromkeys(_NODES, 0.0)
    prompts = recovered = unexpected = wrong = 0
    beats = round(seconds / _PROMPT_EVERY)
    for beat in progress_bar(range(beats), title="soak", unit="prompt"):
        bench.robot.commands.clear()
        bench.answers.clear()
        if beat and beat % round(_FAULT_EVERY / _PROMPT_EVERY) == 0:
            # `inject` returns when the robot moves again, and raises when it does not.
            found = inject(bench, next(faults), beat)
            recovered += 1
            unexpected += not found.as_expected
            wrong += found.wrong
        bench.ask()
        prompts += 1
        elapsed = time.monotonic() - started
        bench.robot.run(max(0.0, (beat + 1) * _PROMPT_EVERY - elapsed))
        if not settled and elapsed >= min(_SETTLED, 0.5 * seconds):
            settled = {node: _taken(pid) for node, pid in pids.items()}
        for node, pid in pids.items():
            largest[node] = max(largest[node], _taken(pid)[0])
    rows: list[dict[str, object]] = []
    for node, pid in pids.items():
        (before_mb, before_files), (after_mb, after_files) = settled[node], _taken(pid)
        rows.append(
            {
                "case": node,
                "seconds": time.monotonic() - started,
                "rss_mb_settled": before_mb,
                "rss_mb": after_mb,
                "rss_mb_largest": largest[node],
                "descriptors_settled": before_files,
                "descriptors": after_files,
                "prompts": prompts,
                "faults_recovered": recovered,
                "not_as_expected": unexpected,
                "wrong_commands": wrong,
            }
        )
    return rows


def _taken(pid: int) -> tuple[float, int]:
    """Resident memory in MB and open file descriptors of a process."""
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, len(list((process / "fd").iterdir()))
