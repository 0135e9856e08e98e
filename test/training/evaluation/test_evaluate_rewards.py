"""`fb_ros evaluate --rewards`: every line of the file is accounted for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fb_ros.bundle.bundle import load_bundle
from fb_ros.cli import main
from fb_ros.errors import FbRosError
from fb_ros.prompts.reward_formula import parse_formula
from sim.tasks.prompt_examples import EXAMPLES
from training.evaluation.bundle_evaluation import evaluate
from training.evaluation.episode_order import episodes_of
from training.evaluation.evaluate_config import PROMPTS, EvaluateConfig
from training.evaluation.evaluate_rewards import summary
from training.evaluation.formula_list import read_formulas

KEYS = {"formula", "accepted", "earned", "data_mean", "data_best", "score", "predicted"}


def evaluated(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, lines: str, *flags: str
) -> tuple[int, dict[str, Any]]:
    file = tmp_path / "rewards.txt"
    file.write_text(lines, encoding="utf-8")
    code = main(
        [
            "evaluate",
            "--bundle",
            "point_mass",
            "--rewards",
            str(file),
            "--goals=1",
            "--json",
            *flags,
        ]
    )
    return code, json.loads(capsys.readouterr().out)


def test_a_wrong_line_is_reported_by_its_number_and_the_others_run(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    lines = "# to the right\n-norm(tcp_pos)  # the middle\ntcp_poz[0]\n\ntcp_pos[0] < 0\n"
    code, result = evaluated(capsys, tmp_path, lines)
    assert code == 1
    assert [(row["line"], row["accepted"]) for row in result["rows"]] == [
        (2, True),
        (3, False),
        (5, True),
    ]
    assert "did you mean tcp_pos" in result["rows"][1]["refusal"]
    assert all(row.keys() >= KEYS for row in result["rows"])
    assert result["refused"] == 1


def test_a_score_is_what_was_earned_between_the_mean_and_the_best_of_the_data(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, root: Path
) -> None:
    code, result = evaluated(capsys, tmp_path, "-norm(tcp_pos - [0.1, 0.1, 0.01])", "--sequence")
    assert code == 0
    (row,) = result["rows"]
    bundle = load_bundle(root / "models" / "point_mass")
    features = bundle.reference_features
    rewards = parse_formula(row["formula"], bundle.robot.features)(features)
    assert row["data_mean"] == pytest.approx(rewards.mean())
    assert row["data_best"] == pytest.approx(np.percentile(rewards, 99.9))
    share = (row["earned"] - rewards.mean()) / (np.percentile(rewards, 99.9) - rewards.mean())
    assert row["score"] == pytest.approx(np.clip(share, -1.0, 1.0))
    assert result["mean_score"] == row["score"]


def test_the_forecast_is_compared_in_units_of_each_formulas_range() -> None:
    def row(scale: float, earned: float, predicted: float) -> dict[str, Any]:
        return {
            "accepted": True,
            "data_mean": 0.0,
            "data_best": scale,
            "earned": scale * earned,
            "predicted": scale * predicted,
            "score": min(earned, 1.0),
        }

    rows = [row(1e-3, 0.9, 0.8), row(1e3, 0.1, 0.2), row(1.0, 0.5, 0.4)]
    figures = summary(rows)
    assert figures["rank_correlation"] == pytest.approx(1.0)
    assert figures["share_good"] == pytest.approx(1 / 3)
    refused = {"accepted": False}
    assert summary([*rows, refused])["mean_score"] == figures["mean_score"]
    assert summary([refused])["mean_score"] is None


def test_a_file_without_formulas_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "empty.txt"
    file.write_text("# nothing\n\n", encoding="utf-8")
    with pytest.raises(FbRosError, match="holds no formula"):
        read_formulas(file)
    with pytest.raises(FbRosError, match="cannot be read"):
        read_formulas(tmp_path / "nowhere.txt")


@pytest.mark.parametrize(
    "name", ["jaco_rewards.txt", "jaco_rewards_more.txt", "jaco_rewards_held_out.txt"]
)
def test_the_shipped_lists_are_formulas_that_the_arm_takes(root: Path, name: str) -> None:
    bundle = load_bundle(root / "models" / "jaco_hand")
    found = read_formulas(root / "config" / name)
    assert len(found) >= 40
    assert len({listed.text for listed in found}) == len(found)
    for listed in found:
        formula = parse_formula(listed.text, bundle.robot.features, bundle.encoder_features)
        assert np.ptp(formula(bundle.reference_features)) > 0.0


def test_the_documentations_prompts_hold_in_shuffled_orders_without_a_reset() -> None:
    """The first start runs them in their order, which the nodes' own test does, too."""
    config = EvaluateConfig(bundle=Path("jaco_hand"), task=PROMPTS, goals=2, sequence=True)
    missed = {row["name"] for row in evaluate(config)["prompts"] if row["success"] < 1.0}
    assert missed <= {example.name for example in EXAMPLES["jaco"] if example.uncertain}


def test_in_a_sequence_the_robot_is_reset_once_a_start() -> None:
    episodes = episodes_of(5, 3, 0, sequence=True)
    assert [anew for _, _, anew in episodes] == [True, False, False, False, False] * 3
    orders = [[index for start, index, _ in episodes if start == one] for one in range(3)]
    assert orders[0] == list(range(5))
    assert all(sorted(order) == list(range(5)) for order in orders)
    assert orders[1] != orders[0]
    assert all(anew for _, _, anew in episodes_of(5, 3, 0, sequence=False))
