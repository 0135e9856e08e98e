"""Checks that settings of all kinds share."""

from __future__ import annotations

import dataclasses

import pytest

from fb_ros.errors import FbRosError
from fb_ros.settings import require_at_least, require_one_of


@dataclasses.dataclass
class Sizes:
    hidden: float = 1
    batch: float = 1


def test_a_choice_is_taken_and_any_other_refused_with_all_that_there_are() -> None:
    assert require_one_of("start", "standing", ("benchmark", "standing")) == "standing"
    expected = "start is 'flying', expected one of benchmark, standing"
    with pytest.raises(FbRosError, match=expected):
        require_one_of("start", "flying", ("benchmark", "standing"))


def test_the_first_setting_that_is_too_small_is_named() -> None:
    require_at_least(Sizes(), 1, "hidden", "batch")
    with pytest.raises(FbRosError, match="batch is 0, expected at least 1"):
        require_at_least(Sizes(batch=0), 1, "hidden", "batch")


def test_a_setting_that_is_no_number_is_too_small() -> None:
    with pytest.raises(FbRosError, match="hidden is nan"):
        require_at_least(Sizes(hidden=float("nan")), 1, "hidden")
