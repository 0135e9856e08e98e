"""Work under a time limit: its result, its error, or a refusal in time."""

from __future__ import annotations

import threading

import pytest

from fb_ros.bundle.time_limit import within
from fb_ros.errors import FbRosError


def test_the_result_of_work_in_time_is_returned() -> None:
    assert within(60.0, "adding", lambda: 1 + 1) == 2
    assert within(60.0, "doing nothing", lambda: None) is None


def test_what_the_work_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        within(60.0, "dividing", lambda: 1 // 0)


def test_work_that_hangs_is_refused() -> None:
    end = threading.Event()
    try:
        with pytest.raises(FbRosError, match=r"waiting took more than 0\.05 s"):
            within(0.05, "waiting", end.wait)
    finally:
        end.set()
