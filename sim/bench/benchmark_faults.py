"""Repeats every fault: whether the robot was stopped, how fast, and whether it went on."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import rclpy

from fb_ros.bringup.this_machine import stay_on_this_machine
from fb_ros.control.standing import STOP_REPEATS
from fb_ros.errors import FbRosError
from sim.bench.bench_robot import BenchRobot
from sim.bench.fault import Fault
from sim.bench.fault_bench import FaultBench, fault_bench
from sim.bench.faults import FAULTS
from sim.progress import progress_bar

# The node has to be silent for this many periods after the stop commands.
_SILENT_PERIODS = 4
# A robot that should go on as if nothing were wrong is watched for this many seconds.
_WATCHED = 0.4
_BEGIN, _END = "<!-- faults: begin -->", "<!-- faults: end -->"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Injection:
    """The outcome of one fault."""

    as_expected: bool
    """Whether the robot did what was expected."""
    stop_s: float | None
    """Time from the fault to the first stop command; None if none came."""
    recovery_s: float
    """Time from the end of the fault to the first command to move."""
    commands: int
    """Number of commands received."""
    wrong: int
    """How many of them were not finite or beyond a limit."""


def inject(bench: FaultBench, fault: Fault, number: int) -> Injection:
    """Makes a fault at some moment of a control period while the robot moves, and ends it
    again."""
    robot, period = bench.robot, bench.bundle.robot.ctrl_dt
    fault.prepare(bench)
    bench.ask()
    bench.wait_until_moving()
    robot.run(np.random.default_rng(number).uniform(0.0, 2.0 * period))
    robot.commands.clear()
    robot.wrong.clear()
    stays = True
    since = time.perf_counter()
    fault.begin(bench, number)
    if fault.expected == "stops":
        robot.run_until(
            lambda: robot.first_after(since, standing=True) is not None,
            f"a stop command after: {fault.name}",
        )
        stopped = robot.first_after(since, standing=True)
        assert stopped is not None
        stays = not fault.lasts or _stands(robot, stopped)
    elif fault.expected == "drive stops":
        robot.run_until(lambda: robot.drive_stopped_at is not None, "the drive to stop")
        stopped = robot.drive_stopped_at
    else:
        robot.run(_WATCHED)
        stopped = robot.first_after(since, standing=True)
    as_expected = fault.expected == "either" or (stopped is not None) == (
        fault.expected in ("stops", "drive stops")
    )
    as_expected = as_expected and stays
    healed = time.perf_counter()
    fault.heal(bench)
    bench.wait_until_moving()
    return Injection(
        as_expected=as_expected,
        stop_s=None if stopped is None else stopped - since,
        recovery_s=time.perf_counter() - healed,
        commands=len(robot.commands),
        wrong=len(robot.wrong),
    )


def _stands(robot: BenchRobot, since: float) -> bool:
    """Whether the robot gets several stop commands, then none for as long as it is watched."""
    period = robot.spec.ctrl_dt
    robot.run((STOP_REPEATS + 1) * period)
    told = len(robot.commands)
    robot.run(_SILENT_PERIODS * period)
    after = [command for arrived, command in robot.commands if arrived >= since]
    return len(robot.commands) == told and len(after) >= 3 and not np.any(after)


def chosen_faults(only: Sequence[str]) -> list[Fault]:
    """The faults whose names contain one of these texts; without any, all of them."""
    for text in only:
        if not any(text in fault.name for fault in FAULTS):
            raise FbRosError(
                f"no fault's name contains {text!r}; they are: "
                + "; ".join(fault.name for fault in FAULTS)
            )
    return [fault for fault in FAULTS if not only or any(text in fault.name for text in only)]


def benchmark_faults(
    repeats: int, only: Sequence[str] = (), page: Path | None = None
) -> list[dict[str, object]]:
    """Returns a row for each of the `chosen_faults`; with `page`, also writes them into that
    document's table, in which the others stay as they are."""
    faults = chosen_faults(only)
    stay_on_this_machine()
    rows = []
    rclpy.init()
    try:
        with fault_bench() as bench:
            bench.start()
            for fault in progress_bar(faults, title="faults", unit="fault"):
                found = [inject(bench, fault, number) for number in range(repeats)]
                rows.append(_row(fault, found, bench.bundle.robot.ctrl_dt))
    finally:
        rclpy.try_shutdown()
    if page is not None:
        write_table(page, rows)
    return rows


def write_table(page: Path, rows: list[dict[str, object]]) -> None:
    """Puts the rows into the table between the page's two marks."""
    text = page.read_text(encoding="utf-8")
    if text.count(_BEGIN) != 1 or text.count(_END) != 1:
        raise FbRosError(f"{page} has no place for the table; expected {_BEGIN} and {_END}")
    before, rest = text.split(_BEGIN)
    table, after = rest.split(_END)
    # By the fault's name.
    shown = {line.split("|")[1].strip(): line for line in table.strip().splitlines()[2:]}
    shown |= {str(row["case"]): _line(row) for row in rows}
    lines = [
        "| fault | the robot | as expected | stopped after: median, longest (at most) | "
        "moved again after, median | commands checked, wrong |",
        "|---|---|---|---|---|---|",
        *(shown[fault.name] for fault in FAULTS if fault.name in shown),
    ]
    page.write_text(before + "\n".join([_BEGIN, *lines, _END]) + after, encoding="utf-8")


def _line(row: dict[str, object]) -> str:
    stopped = ""
    if row["p50_ms"] is not None:
        stopped = f"{row['p50_ms']:.0f} ms, {row['max_ms']:.0f} ms"
        if row["bound_ms"] is not None:
            stopped += f" ({row['bound_ms']:.0f} ms)"
    return (
        f"| {row['case']} | {_DOES[str(row['expected'])]} | "
        f"{row['as_expected']} of {row['injections']} | {stopped} | "
        f"{row['recovery_p50_ms']:.0f} ms | {row['commands']}, {row['wrong_commands']} |"
    )


_DOES = {
    "stops": "is told to stand still",
    "goes on": "goes on",
    "drive stops": "is stopped by its drive",
    "either": "goes on, or stands still until the next observation",
}


def _row(fault: Fault, found: list[Injection], period: float) -> dict[str, object]:
    times = np.array([one.stop_s for one in found if one.stop_s is not None]) * 1e3
    bound = (fault.timeout + 2.0 * period) * 1e3
    bounded = fault.expected in ("stops", "drive stops")
    return {
        "case": fault.name,
        "expected": fault.expected,
        "injections": len(found),
        "as_expected": sum(one.as_expected for one in found),
        "in_time": int(np.sum(times <= bound)) if bounded else None,
        "p50_ms": float(np.median(times)) if len(times) else None,
        "max_ms": float(times.max()) if len(times) else None,
        "bound_ms": bound if bounded else None,
        "recovery_p50_ms": float(np.median([one.recovery_s for one in found]) * 1e3),
        "commands": sum(one.commands for one in found),
        "wrong_commands": sum(one.wrong for one in found),
        "ok": all(one.as_expected and not one.wrong for one in found)
        and (not bounded or bool(np.all(times <= bound))),
    }
