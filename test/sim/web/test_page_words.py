"""What the page says."""

from __future__ import annotations

import html
from pathlib import Path

import numpy as np
import pytest

from fb_ros.bundle.bundle import load_bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.reward_formula import parse_formula
from sim.web import wording

MARKUP = "<img src=x onerror=alert(1)>&\"'"


def test_text_is_shown_as_text_wherever_it_comes_from() -> None:
    for content in (
        wording.state_line(wording.RED, MARKUP),
        wording.answer(
            "reward", wording.RED, f"at character 1, {MARKUP}", {"share": MARKUP}, MARKUP
        ),
        wording.note(MARKUP),
    ):
        assert "<img" not in content
        assert "&lt;img" in content


@pytest.mark.parametrize(
    "formula", ["exp(-norm(tcp_poz))", "tcp_pos[2] >", "(tcp_pos[0]", "1 +* 2"]
)
def test_a_refusal_points_at_its_character(root: Path, formula: str) -> None:
    robot = load_bundle(root / "models" / "jaco").robot
    with pytest.raises(FbRosError) as error:
        parse_formula(formula, robot.features)
    content = wording.answer("reward", wording.RED, str(error.value), {}, formula)
    before, mark, after = content.partition('<mark data-role="place"')
    place = int(str(error.value).split("at character ")[1].split(",")[0])
    assert mark
    assert before.endswith(formula[: place - 1].replace(">", "&gt;").replace("<", "&lt;"))
    assert after.split(">", 1)[1].startswith(formula[place - 1].replace(">", "&gt;"))


@pytest.mark.parametrize("text", ["at character 99, 'x': no", "refused", "at character 0, ''"])
def test_an_answer_without_a_place_in_the_formula_points_nowhere(text: str) -> None:
    assert "<mark" not in wording.answer("reward", wording.RED, text, {}, "tcp_pos")


def test_every_feature_that_a_formula_may_speak_of_has_unit_and_range(
    shipped_bundle: Path,
) -> None:
    bundle = load_bundle(shipped_bundle)
    table = wording.feature_table(bundle)
    for field in bundle.encoder_fields:
        assert f"<b>{field.name}</b>" in table
        assert html.escape(field.description) in table
    for _, _, low, high in wording.feature_ranges(bundle, bundle.encoder_features):
        assert np.isfinite(low)
        assert low <= high
