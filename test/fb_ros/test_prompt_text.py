"""Prompts as text: what is written is what is read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_ros.errors import FbRosError
from fb_ros.prompt import Blend, GoalPoint, GoalState, Prompt, Reward, Skill, Velocity
from fb_ros.prompt_text import parse_prompt

NUMBERS = st.integers(-999_999, 999_999).map(lambda number: number / 1000.0)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_-]{0,10}", fullmatch=True)
FORMULAS = st.sampled_from(["tcp_pos[2] > 0.3", "a = 1 + 2; (a + norm([1, 2])) * 2", "1"])
SINGLE: st.SearchStrategy[Prompt] = st.one_of(
    st.lists(NUMBERS, min_size=1, max_size=4).map(lambda p: GoalPoint(point=tuple(p))),
    st.lists(NUMBERS, min_size=1, max_size=7).map(lambda v: GoalState(values=tuple(v))),
    st.lists(NUMBERS, min_size=6, max_size=6).map(
        lambda v: Velocity(linear=tuple(v[:3]), angular=tuple(v[3:]))
    ),
    FORMULAS.map(lambda text: Reward(formula=text)),
    NAMES.map(lambda name: Skill(name=name)),
)
BLENDS = st.lists(st.tuples(SINGLE, NUMBERS.filter(bool)), min_size=1, max_size=3).map(
    lambda parts: Blend(parts=tuple(parts))
)


@given(prompt=SINGLE | BLENDS)
def test_a_prompts_text_reads_as_the_prompt(prompt: Prompt) -> None:
    assert parse_prompt(prompt.text) == prompt


def test_a_weight_that_is_not_written_is_one() -> None:
    blend = parse_prompt("wave + reward(exp(1 + 2)) 0.5")
    assert blend == Blend(parts=((Skill(name="wave"), 1.0), (Reward(formula="exp(1 + 2)"), 0.5)))


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
