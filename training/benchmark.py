"""`fb_ros benchmark WHAT`: how long things take on this machine."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import tyro

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from training.benchmark_collect import benchmark_collect
from training.benchmark_memory import benchmark_memory
from training.benchmark_training import benchmark_training

Row = dict[str, object]


def _prompts(repeats: int) -> list[Row]:
    # Imported here: only this one needs ROS 2.
    from training.benchmark_prompts import benchmark_prompts

    return benchmark_prompts(repeats)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkConfig(CommandConfig):
    """Time something on this machine, beside another way of doing the same."""

    what: Annotated[Literal["prompts", "training", "memory", "collect"], tyro.conf.Positional]
    """`prompts`: from a prompt's arrival at task_inference_node to its `z`, with 10,000 reference
    states, four blocks and hidden layers of 256. `training`: updates of each algorithm a second
    on two threads, with 42 observations, 9 actions and `z` of 64, and how they fall with blocks,
    batch and width. `memory`: training on a folder of many transitions, which it makes (8 GB of
    disk), beside training on a small one. `collect`: transitions of random motion a second on all
    cores, for each robot."""
    repeats: int = 0
    """How often each case runs (`memory`: updates, `collect`: episodes); 0: as often as gives
    steady figures in a minute or two."""
    transitions: int = 10_000_000
    """Size of the folder of `memory`."""
    threads: int = 2
    """CPU threads of `memory`."""
    folder: Path | None = None
    """Where `memory` makes its folders and leaves them; none for a place that is removed."""

    def __post_init__(self) -> None:
        if self.repeats < 0 or self.repeats == 1:
            raise FbRosError(f"repeats is {self.repeats}, expected 0 or at least 2")


def _memory(config: BenchmarkConfig, repeats: int) -> list[Row]:
    return benchmark_memory(config.transitions, repeats, config.threads, config.folder)


# With how often each runs by default.
_CASES: dict[str, tuple[Callable[[BenchmarkConfig, int], list[Row]], int]] = {
    "prompts": (lambda _, repeats: _prompts(repeats), 100),
    "training": (lambda _, repeats: benchmark_training(repeats), 15),
    "memory": (_memory, 150),
    "collect": (lambda _, repeats: benchmark_collect(repeats), 120),
}


def benchmark(config: BenchmarkConfig) -> Result:
    """The machine, and a row for each case."""
    run, repeats = _CASES[config.what]
    rows = run(config, config.repeats or repeats)
    return {
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "rows": rows,
    }


def _show(result: Result) -> str:
    rows = result["rows"]
    names = [name for name in rows[0] if name not in ("case", "reference")]
    lines = [f"{'case':<22}" + "".join(f"{name:>14}" for name in names)]
    for row in rows:
        mark = "  (reference)" if row.get("reference") else ""
        lines.append(f"{row['case']:<22}" + "".join(_cell(row[name]) for name in names) + mark)
    return "\n".join(lines)


def _cell(value: object) -> str:
    return f"{value:14.2f}" if isinstance(value, float) else f"{value!s:>14}"


COMMAND = Command(config=BenchmarkConfig, run=benchmark, show=_show)
