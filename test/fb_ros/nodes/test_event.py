"""Log lines that a program can take apart."""

from __future__ import annotations

import pytest

from fb_ros.nodes.event import event


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({}, "moving"),
        ({"model": "b2d85e07"}, "moving model=b2d85e07"),
        ({"reason": "no z for 1 s"}, 'moving reason="no z for 1 s"'),
        ({"reason": 'it says "no"'}, 'moving reason="it says \\"no\\""'),
        ({"count": 3, "age_s": 0.5}, "moving count=3 age_s=0.5"),
    ],
)
def test_a_line_is_a_name_and_its_fields(fields: dict[str, object], line: str) -> None:
    assert event("moving", **fields) == line
