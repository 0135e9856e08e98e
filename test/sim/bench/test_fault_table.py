"""The table of faults in the documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from fb_ros.errors import FbRosError
from sim.bench.benchmark_faults import write_table
from sim.bench.faults import FAULTS


def row(name: str, longest: float) -> dict[str, object]:
    return {
        "case": name,
        "expected": "stops",
        "injections": 100,
        "as_expected": 99,
        "p50_ms": 10.0,
        "max_ms": longest,
        "bound_ms": 80.0,
        "recovery_p50_ms": 20.0,
        "commands": 300,
        "wrong_commands": 0,
    }


def test_new_rows_take_the_place_of_the_same_faults_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- faults: begin -->\n<!-- faults: end -->\nafter\n")
    first, second, third = (fault.name for fault in FAULTS[:3])
    write_table(page, [row(third, 30.0), row(first, 11.0)])
    write_table(page, [row(second, 22.0), row(third, 33.0)])
    lines = page.read_text().splitlines()
    assert (lines[0], lines[-1]) == ("before", "after")
    assert [line.split("|")[1].strip() for line in lines[4:-2]] == [first, second, third]
    assert ["11 ms (" in lines[4], "22 ms (" in lines[5], "33 ms (" in lines[6]] == [True] * 3


def test_a_document_without_a_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("none")
    with pytest.raises(FbRosError, match="no place for the table"):
        write_table(page, [])
