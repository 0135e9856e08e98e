"""The page's cost and speed, measured with a client that reads everything and draws nothing."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import Float64MultiArray

from fb_ros.bringup.options import default_options
from fb_ros.bringup.processes import command_line, web_process
from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import values_of
from fb_ros.nodes.qos import LATCHED
from fb_ros.paths import open_bundle
from fb_ros.prompts.prompt import GoalPoint
from fb_ros.task_inference.z_digest import z_digest
from sim.bench.headless_browser import HeadlessBrowser
from sim.bench.ports import free_port, listens
from sim.bench.watched_page import process, wait_until
from sim.client.robot_client import RobotClient
from sim.client.running_robot import running_robot
from sim.progress import progress_bar

_ROBOT = "jaco"
_STARTS, _DRAGS = 5, 40
_POINTS_A_DRAG = 5
_RECONNECT_EVERY = 60.0
# Memory that the page takes for its first visits is not a leak.
_SETTLED_VISITS = 3

Row = dict[str, object]


def benchmark_web(seconds: float, minutes: float) -> list[Row]:
    """Returns rows for the page of the simulated arm: its start, its drawing, its drags, its cost.

    Drawing and cost are measured for `seconds` each; for `minutes`, a client reconnects every
    minute.
    """
    bundle = open_bundle(_ROBOT)
    options = default_options(_ROBOT) | {
        "bundle": str(bundle.path),
        "namespace": "benchmark_web",
        "log_level": "warn",
        "web_port": str(free_port()),
    }
    with running_robot(_ROBOT, options, frame=bundle.robot.frame) as client:
        rows = [_start(options)]
        with _page(options) as (pid, port):
            rows += [_drawing(bundle, pid, port, seconds), _drags(client, bundle, port)]
            if minutes > 0.0:
                rows.append(_reconnects(pid, port, 60.0 * minutes))
    return rows


@contextmanager
def _page(options: dict[str, str]) -> Iterator[tuple[int, int]]:
    """The page's process once it listens: its process id and its port."""
    words = command_line(web_process(_ROBOT, options), options)
    port = int(options["web_port"])
    with process(words) as running:
        wait_until(lambda: listens(port, running), "the page to listen")
        yield running.pid, port


def _start(options: dict[str, str]) -> Row:
    """Seconds from the start of the process until a client has received the robot's pose."""
    taken, cpu = [], []
    for _ in range(_STARTS):
        started = time.perf_counter()
        with _page(options) as (pid, port), HeadlessBrowser(port) as browser:
            wait_until(lambda browser=browser: browser.poses(0.02) > 0, "the robot")  # type: ignore[misc]
            taken.append(time.perf_counter() - started)
            cpu.append(_cpu_seconds(pid))
    p50, cpu_p50 = float(np.median(taken)), float(np.median(cpu))
    return {"case": "page_start", "p50_s": p50, "max_s": max(taken), "p50_cpu_s": cpu_p50}


def _drawing(bundle: Bundle, pid: int, port: int, seconds: float) -> Row:
    """How often the robot is drawn while it moves from goal to goal, and the cost compared with a
    page that nobody looks at."""
    low, high = np.array(bundle.robot.goal_low), np.array(bundle.robot.goal_high)
    time.sleep(5.0)  # What it computes once, at its start, is over then.
    before = _cpu_seconds(pid)
    time.sleep(seconds)
    alone = (_cpu_seconds(pid) - before) / seconds
    with HeadlessBrowser(port) as browser:
        browser.poses(1.0)
        before, started, drawn = _cpu_seconds(pid), time.perf_counter(), 0
        # The page does not redraw a robot that stands still.
        for goal in np.random.default_rng(1).uniform(low, high, (round(seconds), 3)):
            browser.drag([tuple(goal.tolist())])
            drawn += browser.poses(1.0)
        elapsed = time.perf_counter() - started
        watched = (_cpu_seconds(pid) - before) / elapsed
    return {
        "case": "page_draw",
        "per_s": drawn / elapsed,
        "core_share_watched": watched,
        "core_share_unwatched": alone,
    }


def _drags(client: RobotClient, bundle: Bundle, port: int) -> Row:
    """Time from the end of a drag to the `z` for its last point."""
    digests: dict[str, float] = {}
    answers: dict[str, str] = {}

    def keep_z(message: Float64MultiArray) -> None:
        digests.setdefault(z_digest(np.array(message.data, dtype=np.float32)), time.perf_counter())

    def keep_answer(status: DiagnosticStatus) -> None:
        values = values_of(status)
        answers[values.get("text", "")] = values.get("z", "")

    client.create_subscription(Float64MultiArray, "z", keep_z, LATCHED)
    client.create_subscription(DiagnosticStatus, "prompt/status", keep_answer, LATCHED)
    low, high = np.array(bundle.robot.goal_low), np.array(bundle.robot.goal_high)
    ends = np.random.default_rng(0).uniform(low, high, (_DRAGS + 1, 3))
    taken = []
    with HeadlessBrowser(port) as browser:
        browser.poses(1.0)
        for start, end in itertools.pairwise(ends):
            points = np.linspace(start, end, _POINTS_A_DRAG + 1)[1:]
            last = GoalPoint(point=tuple(points[-1].tolist())).text
            browser.drag([tuple(point) for point in points.tolist()])
            ended = time.perf_counter()

            def answered(last: str = last) -> bool:
                return answers.get(last) in digests

            client.wait_for(answered, "the z of a drag")
            taken.append((digests[answers[last]] - ended) * 1e3)
            browser.poses(0.1)
    p50, p99 = np.percentile(taken, [50, 99])
    return {"case": "page_drag", "p50_ms": float(p50), "p99_ms": float(p99), "max_ms": max(taken)}


def _reconnects(pid: int, port: int, seconds: float) -> Row:
    """Memory, threads and open files of the page while a client reconnects every minute."""
    visits = max(_SETTLED_VISITS + 1, round(seconds / _RECONNECT_EVERY))
    settled: tuple[float, int, int] | None = None
    largest = 0.0
    for visit in progress_bar(range(visits), title="reconnecting", unit="visit"):
        with HeadlessBrowser(port) as browser:
            drawn = browser.poses(seconds / visits)
        if not drawn:
            raise FbRosError("a client that reconnected was not shown the robot")
        time.sleep(0.5)
        taken = _taken(pid)
        largest = max(largest, taken[0])
        if visit + 1 == _SETTLED_VISITS:
            settled = taken
    assert settled is not None
    return {
        "case": "page_reconnect",
        "seconds": seconds,
        "visits": visits,
        "rss_mb_settled": settled[0],
        "rss_mb": taken[0],
        "rss_mb_largest": largest,
        "threads_settled": settled[1],
        "threads": taken[1],
        "descriptors_settled": settled[2],
        "descriptors": taken[2],
    }


def _taken(pid: int) -> tuple[float, int, int]:
    """Resident memory in MB, threads and open file descriptors of a process."""
    process = Path(f"/proc/{pid}")
    pages = int((process / "statm").read_text().split()[1])
    threads, files = (len(list((process / part).iterdir())) for part in ("task", "fd"))
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6, threads, files


def _cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, on all cores."""
    # The process name, in parentheses, may hold blanks.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
