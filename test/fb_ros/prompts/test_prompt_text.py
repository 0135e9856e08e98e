"""Prompts as text: what is written is what is read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import (
    Blend,
    GoalPoint,
    GoalState,
    Prompt,
    Reward,
    RewardSamples,
    Skill,
    Velocity,
)
from fb_ros.prompts.prompt_text import parse_prompt

NUMBERS = st.integers(-999_999, 999_999).map(lambda number: number / 1000.0) | st.sampled_from(
    [1e20, 1e-20, 2.5e30]
)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,10}", fullmatch=True)
FORMULAS = st.sampled_from(["tcp_pos[2] > 0.3", "a = 1 + 2; (a + norm([1, 2])) * 2", "1"])
SINGLE: st.SearchStrategy[Prompt] = st.one_of(
    st.lists(NUMBERS, min_size=1, max_size=4).map(lambda p: GoalPoint(point=tuple(p))),
    st.lists(NUMBERS, min_size=1, max_size=7).map(lambda v: GoalState(values=tuple(v))),
    st.lists(NUMBERS, min_size=6, max_size=6).map(
        lambda v: Velocity(linear=(v[0], v[1], v[2]), angular=(v[3], v[4], v[5]))
    ),
    FORMULAS.map(lambda text: Reward(formula=text)),
    NAMES.map(lambda name: Skill(name=name)),
)
PARTS = st.tuples(SINGLE, NUMBERS.filter(bool))
BLENDS: st.SearchStrategy[Prompt] = st.lists(PARTS, min_size=1, max_size=3).map(
    lambda parts: Blend(parts=tuple(parts))
)
NESTED = st.lists(st.tuples(BLENDS, NUMBERS.filter(bool)), min_size=1, max_size=2).map(
    lambda parts: Blend(parts=tuple(parts))
)


@given(prompt=SINGLE | BLENDS | NESTED)
def test_a_prompts_text_reads_as_the_prompt(prompt: Prompt) -> None:
    assert parse_prompt(prompt.text) == prompt


def test_a_weight_that_is_not_written_is_one() -> None:
    blend = parse_prompt("wave + reward(exp(1 + 2)) 0.5")
    assert blend == Blend(parts=((Skill(name="wave"), 1.0), (Reward(formula="exp(1 + 2)"), 0.5)))


def test_labelled_states_read_as_written() -> None:
    samples = parse_prompt("reward_samples(0.1, 0.2, 1; 0, 0.5, -1)")
    assert isinstance(samples, RewardSamples)
    np.testing.assert_array_equal(samples.features, [[0.1, 0.2], [0.0, 0.5]])
    np.testing.assert_array_equal(samples.rewards, [1.0, -1.0])
    assert parse_prompt(samples.text).text == samples.text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no name for a skill"),
        ("../../etc/passwd", "no name for a skill"),
        ("a" * 65, "no name for a skill"),
        ("wave fast now", "is no prompt"),
        ("wave fast", "no finite number"),
        ("wave nan", "no finite number"),
        ("dance(1)", "there is no prompt 'dance'"),
        ("goal_point(1, x, 2)", "'x' is no finite number"),
        ("goal_point(1, inf, 2)", "'inf' is no finite number"),
        ("velocity(1, 2)", "velocity has 2 numbers"),
        ("wave 0 + bow 0", "all weights of the blend are zero"),
        ("wave + ", "no name for a skill"),
        ("save", "save is a command"),
        ("blend(" * 5 + "wave" + ")" * 5, "nested too deeply"),
        ("reward_samples(1, 2; 1)", "rows of the same length"),
        ("reward_samples(1)", "rows of the same length"),
        ("reward(" + ")" * 9980 + " x y", "is no prompt"),
        ("x" * 20_000, "at most 10000"),
    ],
)
def test_what_is_no_prompt_is_refused_in_one_line(text: str, message: str) -> None:
    with pytest.raises(FbRosError, match=message) as caught:
        parse_prompt(text)
    assert "\n" not in str(caught.value)


@given(text=st.text(max_size=80))
def test_no_text_crashes_the_reader(text: str) -> None:
    try:
        parse_prompt(text)
    except FbRosError as error:
        assert str(error)  # noqa: PT017
