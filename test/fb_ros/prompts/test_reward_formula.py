"""Reward formulas: what they mean, what they refuse, and that no text gets past the grammar."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fb_ros.errors import FbRosError
from fb_ros.prompts.formula_functions import FUNCTIONS
from fb_ros.prompts.reward_formula import MAX_LENGTH, parse_formula
from fb_ros.prompts.tolerance import tolerance
from fb_ros.robot.field import Field

LAYOUT = (
    Field(name="tcp_pos", source="tcp_position", unit="m", description="where the hand is"),
    Field(
        name="finger_opening",
        source="joint_position",
        encoding="opening",
        joints=("f",),
        description="0 closed to 1 open",
    ),
    Field(name="joint_pos", source="joint_position", joints=("a", "b"), unit="rad"),
)
STATES = np.random.RandomState(0).uniform(-1.0, 1.0, size=(50, 6))
TCP, FINGER, JOINTS = STATES[:, :3], STATES[:, 3], STATES[:, 4:]


def reward(text: str, states: np.ndarray = STATES) -> np.ndarray:
    return parse_formula(text, LAYOUT)(states)


MEANINGS: list[tuple[str, Callable[[], np.ndarray]]] = [
    (
        "exp(-30*norm(tcp_pos - [0.1, 0.1, 0.2])) * (finger_opening < 0.3)",
        lambda: np.exp(-30 * np.linalg.norm(TCP - [0.1, 0.1, 0.2], axis=1)) * (FINGER < 0.3),
    ),
    ("2 + 3 * -tcp_pos[1] ** 2", lambda: 2 - 3 * TCP[:, 1] ** 2),
    ("0.1 < tcp_pos[2] <= 0.5", lambda: 1.0 * ((TCP[:, 2] > 0.1) & (TCP[:, 2] <= 0.5))),
    (
        "tcp_pos[0] > 0 and not (tcp_pos[1] > 0 or finger_opening > 0)",
        lambda: 1.0 * ((TCP[:, 0] > 0) & ~((TCP[:, 1] > 0) | (FINGER > 0))),
    ),
    ("where(finger_opening > 0, tcp_pos, 7)[2]", lambda: np.where(FINGER > 0, TCP[:, 2], 7.0)),
    ("min(tcp_pos) + max(tcp_pos)", lambda: TCP.min(1) + TCP.max(1)),
    ("max(tcp_pos[0], finger_opening, 0)", lambda: np.max([TCP[:, 0], FINGER, 0 * FINGER], 0)),
    ("norm(clip(tcp_pos, -0.1, 0.1))", lambda: np.linalg.norm(TCP.clip(-0.1, 0.1), axis=1)),
    ("dot(joint_pos, [1, 2])", lambda: JOINTS @ [1, 2]),
    ("sin(pi * tcp_pos[0]) + cos(0)", lambda: np.sin(np.pi * TCP[:, 0]) + 1),
    ("log(abs(tcp_pos[0])) / sqrt(4)", lambda: np.log(np.abs(TCP[:, 0])) / 2),
    (
        "tolerance(tcp_pos[2], bounds=(0.3, inf), margin=0.2)",
        lambda: tolerance(TCP[:, 2], (0.3, np.inf), 0.2),
    ),
    (
        'tolerance(tcp_pos[2], (0, 0.1), 1, sigmoid="linear", value_at_margin=0.5)',
        lambda: tolerance(TCP[:, 2], (0.0, 0.1), 1.0, "linear", 0.5),
    ),
    ("d = norm(tcp_pos); near = d < 0.5; 0.7*near + 0.3*exp(-d)", lambda: weighted_terms()),
    ("d = norm(tcp_pos)\nnear = d < 0.5\n0.7 * near + 0.3 * exp(-d)\n", lambda: weighted_terms()),
    ("  finger_opening  ", lambda: FINGER),
]


def weighted_terms() -> np.ndarray:
    d = np.linalg.norm(TCP, axis=1)
    return 0.7 * (d < 0.5) + 0.3 * np.exp(-d)


@pytest.mark.parametrize(("text", "expected"), MEANINGS)
def test_a_formula_means_what_numpy_would_compute(
    text: str, expected: Callable[[], np.ndarray]
) -> None:
    np.testing.assert_allclose(reward(text), expected(), rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "position", "message"),
    [
        ("exp(-norm(tcp_poz))", 11, r"did you mean tcp_pos\?"),
        ("exp(-norm(tcp_poz))", 11, r"finger_opening \(1: 0 closed to 1 open\)"),
        ("tcp_pos", 1, "single number, this has 3"),
        ("1 + tcp_pos[3]", 13, "3 components, 0 to 2"),
        ("tcp_pos[-1]", 9, "whole number"),
        ("tcp_pos[0:2]", 9, "whole number"),
        ("norm(tcp_pos + joint_pos)", 6, "2 numbers do not go with 3"),
        ("tcp_pos < 1", 1, "single number"),
        ("(0).real", 1, "no attributes"),
        ("1 + tcp_pos.__class__", 5, "no attributes"),
        ("__import__('os').system('ls')", 1, "only functions of these names"),
        ("eval('1')", 1, "unknown function"),
        ("exp('1')", 5, "a text has no place here"),
        ("open(1)", 1, "unknown function"),
        ("(lambda: 1)()", 1, "only functions of these names"),
        ("[x for x in tcp_pos][0]", 1, "not part of a formula"),
        ("norm(*tcp_pos)", 6, "write the arguments out"),
        ("tolerance(1, **tcp_pos)", 16, "write the arguments out"),
        ("norm(tcp_pos, 2)", 1, "too many positional arguments"),
        ("exp", 1, "exp is a function"),
        ("1 if finger_opening else 2", 1, "where"),
        ("tcp_pos @ tcp_pos", 1, r"\*\*"),
        ("1 < 2 in 3", 1, "compare with"),
        ("f'{1}'", 1, "not part of a formula"),
        ("import os", 1, "the last part has to be the reward"),
        ("import os; 1", 1, "only `name = expression`"),
        ("tcp_pos = 1; 1", 1, "there already"),
        ("a = b = 1; a", 1, "names one thing"),
        ("1 +", 3, "invalid syntax"),
        ("  exp(", 6, "never closed"),
        ("a = 1\nb = a + c\nb", 15, "unknown name"),
        ("tcp_pos[0] > π", 14, "'π' does not belong"),
        ("1\x00", 2, "does not belong"),
        ("tolerance(1, margin=tcp_pos[0])", 1, "margin has to be a constant"),
        ("tolerance(1, bounds=(1, 0))", 1, "the lower one first"),
        ("tolerance(1, sigmoid='round')", 1, "expected one of gaussian"),
        ("tolerance(1, sigmoid=0.3)", 1, "a name in quotes"),
        ("tolerance(1, (0, 1), 1, 1)", 1, "a name in quotes"),
        ("9" * 400, 1, "too large"),
        ("+".join(["1"] * 300), 1, "nested"),
    ],
)
def test_an_error_says_where_and_why(text: str, position: int, message: str) -> None:
    with pytest.raises(FbRosError, match=message) as caught:
        reward(text)
    assert "\n" not in str(caught.value)
    if "nested" not in message:
        assert f"at character {position}, " in str(caught.value)


def test_a_feature_that_b_does_not_read_is_refused_with_that_reason() -> None:
    with pytest.raises(FbRosError, match=r"B does not read finger_opening.*it reads tcp_pos"):
        parse_formula("finger_opening", LAYOUT, ["tcp_pos"])


@pytest.mark.parametrize("text", ["", "  \n", "# nothing"])
def test_an_empty_formula_is_refused(text: str) -> None:
    with pytest.raises(FbRosError, match="empty"):
        reward(text)


@pytest.mark.parametrize(
    "text",
    [
        "1" + " " * MAX_LENGTH,
        "-" * (MAX_LENGTH - 1) + "1",
        "not " * 400 + "1",
        "(" * 900 + "1" + ")" * 900,
        "[" * 150 + "1" + "]" * 150,
        "1" + "**1" * 600,
        "; ".join(f"a{i} = norm(tcp_pos ** joint_pos[0])" for i in range(40)) + "; 1",
    ],
)
def test_a_formula_that_is_too_long_too_deep_or_too_dear_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(FbRosError):
        reward(text)
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize("dear", ["sin(1e30 * {})", "{} ** {}", "tanh({})", "log(exp({}))"])
def test_the_dearest_formula_takes_less_than_a_tenth_of_a_second(dear: str) -> None:
    states = np.random.RandomState(0).uniform(size=(10_000, 6))
    parts, best = "norm(" + dear.replace("{}", "tcp_pos") + ")", ""
    for count in range(1, 100):
        text = " + ".join(["0"] + [parts] * count) if count < 20 else ""
        try:
            parse_formula(text, LAYOUT)
        except FbRosError:
            break
        best = text
    formula = parse_formula(best, LAYOUT)
    times = []
    for _ in range(5):
        started = time.process_time()
        formula(states)
        times.append(time.process_time() - started)
    assert min(times) < 0.1


WORDS = st.sampled_from(
    [
        *("tcp_pos", "finger_opening", "joint_pos", "x", "pi", "inf", "__class__", "tcp_pos[2]"),
        *FUNCTIONS,
        *("(", ")", "[", "]", ",", ".", ";", "=", "\n", ":", "'", '"', "{", "}", "#", "\\", "@"),
        *("sigmoid=", "'linear'", "bounds=", "margin=", "value_at_margin=", "(0, 1)"),
        *("+", "-", "*", "/", "**", "<", "<=", "==", "!=", "and", "or", "not", "in", "is", "if"),
        *("0", "1", "0.3", "1e999", "1j", "-30", "lambda", "for", "import", "yield", ":=", "é"),
    ]
)
SEEDS = [text for text, _ in MEANINGS]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A formula that means something, with a few characters taken out, put in or moved."""
    text = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(1, 4))):
        at, length = draw(st.integers(0, len(text))), draw(st.integers(0, 6))
        text = text[:at] + draw(WORDS | st.text(max_size=3)) + text[at + length :]
    return text


@pytest.mark.slow
@settings(
    max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(text=mutated() | st.lists(WORDS, max_size=30).map(" ".join) | st.text(max_size=60))
def test_no_text_crashes_hangs_or_leaves_the_grammar(text: str) -> None:
    started = time.process_time()
    refusal, value = _answer(text)
    seconds = time.process_time() - started
    assert "\n" not in refusal
    if value is not None:
        assert value.shape == (len(STATES),)
        assert value.dtype == np.float64
        # Texts, attributes, comprehensions and the like have no value.
        assert not re.search(r"__|lambda|import|yield|:=|\bfor\b|\bin\b|\bif\b", _code(text))
    # The collector of garbage, or another process, may have had the processor: not every time.
    for _ in range(5):
        if seconds < 0.1:
            return
        started = time.process_time()
        _answer(text)
        seconds = time.process_time() - started
    raise AssertionError(f"{text!r} took {seconds:.3f} s, again and again")


def _answer(text: str) -> tuple[str, np.ndarray | None]:
    """The refusal, or the reward."""
    try:
        return "", reward(text)
    except FbRosError as error:
        return str(error), None


def _code(text: str) -> str:
    """The text without what its parser skips: comments."""
    return re.sub(r"#.*", "", text)
