"""The benchmark of training: its rows, at sizes that take no time."""

from __future__ import annotations

import json

import pytest
import torch

from fb_ros.cli import main
from training.agents.agent_config import ALGORITHMS
from training.benchmarks import benchmark_training


def test_there_is_a_row_for_every_algorithm_precision_and_growth(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark_training, "_SIZES", ((16, 32),))
    before = torch.get_num_threads()
    assert main(["benchmark", "training", "--repeats", "2", "--threads", "1", "--json"]) == 0
    assert torch.get_num_threads() == before
    result = json.loads(capsys.readouterr().out)
    assert set(result) == {"machine", "rows"}
    rows = result["rows"]
    assert [row["case"] for row in rows[:8]] == [*ALGORITHMS, *ALGORITHMS]
    assert [row["precision"] for row in rows[:8]] == ["bfloat16"] * 4 + ["float32"] * 4
    assert {row["blocks"] for row in rows[8:]} == {2, 4, 8, 16}
    assert {row["batch"] for row in rows[8:]} == {32, 64, 128, 256}
    assert {row["hidden"] for row in rows[8:]} == {16, 32, 64}
    assert all(row["best_per_s"] >= row["per_s"] > 0.0 for row in rows)


def test_a_profile_has_the_parts_of_every_algorithm(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(benchmark_training, "_SIZES", ((16, 32),))
    assert (
        main(["benchmark", "training", "--profile", "--repeats", "2", "--threads", "1", "--json"])
        == 0
    )
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["case"] for row in rows] == [*ALGORITHMS]
    for row in rows:
        without = {"case", *(["advantage"] if row["advantage"] == 0.0 else [])}
        assert all(row[name] > 0.0 for name in row.keys() - without)
        assert (row["advantage"] > 0.0) == (row["case"] in ("fb_aw", "fb_aware"))
