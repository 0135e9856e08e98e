"""Transitions collected per second, compared with dm_control's own loops."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from dm_control import manipulation, suite

from sim.progress import progress_bar
from sim.robots.registry import ROBOT_NAMES
from training.collecting.collect_config import CollectConfig
from training.collecting.collect_noise import episodes_of

_STEPS = 250
# Steps of dm_control's loop that are timed; it runs on one core.
_REFERENCE_STEPS = 1000
_REFERENCES = {
    "jaco": lambda: manipulation.load("reach_site_features", seed=0),
    "point_mass": lambda: suite.load("point_mass", "easy"),
    "walker": lambda: suite.load("walker", "walk"),
    "cheetah": lambda: suite.load("cheetah", "run"),
    "quadruped": lambda: suite.load("quadruped", "walk"),
}


def benchmark_collect(episodes: int) -> list[dict[str, object]]:
    """Returns for each robot a row for random motion on all cores, written to disk, and one for
    dm_control's environment on one core, which writes nothing.

    Starting the processes does not count. `cpu_ms` is a transition's time on one core, whatever
    else the machine does.
    """
    workers = os.cpu_count() or 1
    rows: list[dict[str, object]] = []
    for robot in progress_bar(ROBOT_NAMES, title="collect", unit="robot"):
        rows.append({"case": robot, "cores": workers, **_ours(robot, episodes, workers)})
        rows.append(
            {"case": f"{robot}, dm_control", "cores": 1, **_theirs(robot), "reference": True}
        )
    return rows


def _ours(robot: str, episodes: int, workers: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        config = CollectConfig(
            robot=robot, out=Path(folder), episode_steps=_STEPS, workers=workers, margin=1e3
        )
        # Until then the processes start, and not all of them work.
        warm_up = 4 * workers
        steps = 0
        started = cpu = 0.0
        for number, count in enumerate(episodes_of(config, range(warm_up + episodes)), 1):
            if number == warm_up:
                started, cpu = time.perf_counter(), _cpu()
            elif number > warm_up:
                steps += count
                seconds, used = time.perf_counter() - started, _cpu() - cpu
    return {"per_s": steps / seconds, "cpu_ms": 1e3 * used / steps}


def _cpu() -> float:
    """Seconds of CPU time that this process and its running children have used."""
    total = time.process_time()
    for child in multiprocessing.active_children():
        try:
            fields = Path(f"/proc/{child.pid}/stat").read_text(encoding="ascii").rsplit(")")[-1]
        except OSError:
            continue
        user, system = fields.split()[11:13]
        total += (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return total


def _theirs(robot: str) -> dict[str, float]:
    environment: Any = _REFERENCES[robot]()
    spec, rng = environment.action_spec(), np.random.default_rng(0)
    low, high = spec.minimum, spec.maximum
    environment.reset()
    actions = rng.uniform(low, high, size=(_REFERENCE_STEPS, *spec.shape))
    started, cpu = time.perf_counter(), time.process_time()
    for action in actions:
        if environment.step(action).last():
            environment.reset()
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    return {"per_s": _REFERENCE_STEPS / seconds, "cpu_ms": 1e3 * cpu / _REFERENCE_STEPS}
