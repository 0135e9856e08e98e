"""Two checkouts timed in turns: the same cases are compared, and pairs by their ratio."""

from __future__ import annotations

from pathlib import Path

import pytest

from fb_ros.errors import FbRosError
from training.benchmarks.benchmark_against import benchmark_against, paired


def row(case: str, per_s: float, **more: object) -> dict[str, object]:
    sizes = {"hidden": 256, "batch": 256, "blocks": 1, "precision": "float32"}
    return {"case": case, "per_s": per_s, **sizes, **more}


def test_ratios_are_of_pairs_so_that_a_slow_minute_counts_for_both() -> None:
    runs = [
        ([row("fb", 10.0), row("fb_ar", 5.0)], [row("fb", 15.0), row("new", 1.0)]),
        ([row("fb", 1.0), row("fb_ar", 5.0)], [row("fb", 1.6), row("new", 1.0)]),
        ([row("fb", 10.0), row("fb_ar", 5.0)], [row("fb", 14.0), row("new", 1.0)]),
    ]
    [only] = paired(runs)
    assert only["case"] == "fb"
    assert only["ratio"] == pytest.approx(1.5)
    assert only["least_ratio"] == pytest.approx(1.4)
    assert only["pairs"] == 3


def test_cases_of_another_size_are_not_the_same() -> None:
    assert not paired([([row("fb", 1.0)], [row("fb", 1.0, hidden=1024)])])


def test_a_folder_that_is_no_checkout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FbRosError, match="no checkout"):
        benchmark_against(tmp_path, 1, 2, 2)
