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
from training.benchmark_prompts import benchmark_prompts

Row = dict[str, object]


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkConfig(CommandConfig):
    """Time something on this machine, beside another way of doing the same."""

    what: Annotated[Literal["prompts", "memory", "collect"], tyro.conf.Positional]
    """`prompts`: from a prompt's arrival at task_inference_node to its `z`, with 10,000 reference
    states, four blocks and hidden layers of 256. `memory`: training on a folder of many
    transitions, which it makes (8 GB of disk), beside training on a small one. `collect`:
    transitions of random motion a second on all cores, for each robot."""
    repeats: int = 100
    """How often each case runs; the updates of `memory`, the episodes of `collect`."""
    transitions: int = 10_000_000
    """Size of the folder of `memory`."""
    threads: int = 2
    """CPU threads of `memory`."""
    folder: Path | None = None
    """Where `memory` makes its folders and leaves them; none for a place that is removed."""

    def __post_init__(self) -> None:
        if self.repeats < 2:
            raise FbRosError(f"repeats is {self.repeats}, expected at least 2")


_CASES: dict[str, Callable[[BenchmarkConfig], list[Row]]] = {
    "prompts": lambda config: benchmark_prompts(config.repeats),
    "collect": lambda config: benchmark_collect(config.repeats),
    "memory": lambda config: benchmark_memory(
        config.transitions, config.repeats, config.threads, config.folder
    ),
}


def benchmark(config: BenchmarkConfig) -> Result:
    """The machine, and a row for each case."""
    rows = _CASES[config.what](config)
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
        figures = "".join(f"{row[name]:14.2f}" for name in names)
        mark = "  (reference)" if row.get("reference") else ""
        lines.append(f"{row['case']:<22}" + figures + mark)
    return "\n".join(lines)


COMMAND = Command(config=BenchmarkConfig, run=benchmark, show=_show)
