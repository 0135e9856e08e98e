"""A name is held by one at a time."""

from __future__ import annotations

import os

import pytest

from fb_ros.errors import FbRosError
from fb_ros.nodes.claim import Claim


def test_a_second_claim_is_refused_until_the_first_is_released() -> None:
    name = f"/robot_{os.getpid()}"
    first = Claim(name, refusal="unused")
    with pytest.raises(FbRosError, match="taken already"):
        Claim(name, refusal="taken already")
    other = Claim(name + "/other", refusal="unused")
    first.release()
    again = Claim(name, refusal="unused")
    other.release()
    again.release()


def test_other_domains_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"/robot_{os.getpid()}"
    first = Claim(name, refusal="unused")
    monkeypatch.setenv("ROS_DOMAIN_ID", "231")
    Claim(name, refusal="unused").release()
    first.release()
