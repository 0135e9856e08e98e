"""A recording converted by two checkouts: the same one counts as its own equal."""

from __future__ import annotations

from pathlib import Path

import pytest

from fb_ros.errors import FbRosError
from training.benchmarks.benchmark_bags import benchmark_bags
from training.benchmarks.checkout import HERE


def test_both_checkouts_convert_the_same_recording() -> None:
    rows = benchmark_bags(300, HERE, 1)
    assert [row["case"] for row in rows] == ["sqlite3", "mcap"]
    for row in rows:
        # 100 messages a topic are 99 transitions.
        assert row["transitions"] == 99
        assert row["cpu_ratio"] == pytest.approx(row["cpu_s"] / row["other_cpu_s"])  # type: ignore[operator]


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FbRosError, match="git worktree add"):
        benchmark_bags(300, tmp_path)
