"""Which runs `fb_ros compare` takes for seeds of one thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fb_ros.errors import FbRosError
from training.comparison.run_groups import group_runs


def run(seed: int = 0, data: str = "a" * 64, **agent: Any) -> dict[str, Any]:
    settings = {"algorithm": "fb", "hidden": 16, **agent}
    return {"seed": seed, "updates": 10, "data": {"fingerprint": data}, "agent": settings}


def labels(*runs: dict[str, Any]) -> list[str]:
    return list(group_runs({Path(str(i)): one for i, one in enumerate(runs)}).values())


def test_seeds_share_the_algorithms_name() -> None:
    assert labels(run(0), run(1), run(2)) == ["fb", "fb", "fb"]


def test_other_settings_are_told_apart_by_what_differs() -> None:
    found = labels(run(0), run(1), run(0, hidden=32), run(0, algorithm="fb_aw", hidden=8))
    assert found == ["fb, hidden 16", "fb, hidden 16", "fb, hidden 32", "fb_aw"]


def test_other_data_are_told_apart() -> None:
    assert labels(run(0), run(0, data="b" * 64)) == ["fb, data aaaaaaaa", "fb, data bbbbbbbb"]


def test_toplines_of_one_seed_have_a_task_each() -> None:
    td3 = {**run(), "algorithm": "td3"}
    assert labels({**td3, "task": "walk"}, {**td3, "task": "run"}) == ["td3", "td3"]


def test_the_same_training_twice_is_refused() -> None:
    with pytest.raises(FbRosError, match="0 and 1 are the same training with seed 3"):
        labels(run(3), run(3))
