"""`fb_ros benchmark WHAT`: speed measurements on this machine."""

from __future__ import annotations

import os
import platform

from fb_ros.command import Command, Result
from training.benchmarks.cases import Benchmark


def benchmark(config: Benchmark) -> Result:
    """Returns a description of the machine, and a row for each case."""
    rows = config.rows()
    failed = any(row.get("ok") is False for row in rows)
    return {
        "machine": {
            "cores": len(os.sched_getaffinity(0)),
            "processor": platform.machine(),
            "python": platform.python_version(),
        },
        "rows": rows,
        **({"ok": False} if failed else {}),
    }


def _show(result: Result) -> str:
    """A line for each row."""
    rows = result["rows"]
    # Columns keep the order of their first appearance.
    all_names = dict.fromkeys(name for row in rows for name in row)
    names = [name for name in all_names if name not in ("case", "reference", "ok")]
    cells = [["case", *names]]
    cells += [
        [str(row["case"]) + " (reference)" * bool(row.get("reference"))]
        + [_shown(row.get(name)) for name in names]
        for row in rows
    ]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0])]
            + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        )
        for line in cells
    )


def _shown(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


COMMAND = Command(config=Benchmark, run=benchmark, show=_show)
