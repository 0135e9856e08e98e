"""`fb_ros benchmark WHAT`: how long things take on this machine."""

from __future__ import annotations

import dataclasses
import os
import platform
from collections.abc import Callable
from typing import Annotated, Literal

import tyro

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from training.benchmark_prompts import benchmark_prompts

Row = dict[str, object]

_CASES: dict[str, Callable[[int], list[Row]]] = {"prompts": benchmark_prompts}


@dataclasses.dataclass(frozen=True, kw_only=True)
class BenchmarkConfig(CommandConfig):
    """Time something on this machine, beside another way of doing the same."""

    what: Annotated[Literal["prompts"], tyro.conf.Positional]
    """`prompts`: from a prompt's arrival at task_inference_node to its `z`, with 10,000 reference
    states, four blocks and hidden layers of 256."""
    repeats: int = 100
    """How often each case runs."""

    def __post_init__(self) -> None:
        if self.repeats < 2:
            raise FbRosError(f"repeats is {self.repeats}, expected at least 2")


def benchmark(config: BenchmarkConfig) -> Result:
    """The machine, and a row for each case."""
    rows = _CASES[config.what](config.repeats)
    return {
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "rows": rows,
    }


def _show(result: Result) -> str:
    lines = [f"{'case':<22}" + "".join(f"{name:>10}" for name in _FIGURES)]
    for row in result["rows"]:
        mark = "  (reference)" if row.get("reference") else ""
        lines.append(
            f"{row['case']:<22}" + "".join(f"{row[name]:10.2f}" for name in _FIGURES) + mark
        )
    return "\n".join(lines)


_FIGURES = ("p50_ms", "p99_ms", "max_ms")

COMMAND = Command(config=BenchmarkConfig, run=benchmark, show=_show)
