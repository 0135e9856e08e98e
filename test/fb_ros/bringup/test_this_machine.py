"""How far ROS goes where the user has not decided it."""

from __future__ import annotations

import os

import pytest

from fb_ros.bringup.this_machine import PROFILES, RANGE, stay_on_this_machine


@pytest.fixture(autouse=True)
def undecided(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (RANGE, *PROFILES, "RMW_IMPLEMENTATION"):
        monkeypatch.delenv(name, raising=False)


def decided() -> dict[str, str]:
    return {name: os.environ[name] for name in (RANGE, *PROFILES) if name in os.environ}


def test_an_undecided_process_stays_here_without_shared_memory() -> None:
    stay_on_this_machine()
    assert os.environ[RANGE] == "SYSTEM_DEFAULT"
    assert all(os.environ[name].endswith("config/this_machine.xml") for name in PROFILES)
    again = decided()
    stay_on_this_machine()
    assert decided() == again


@pytest.mark.parametrize("choice", ["SUBNET", "LOCALHOST", "OFF"])
def test_the_users_range_stands(choice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(RANGE, choice)
    stay_on_this_machine()
    assert decided() == {RANGE: choice}


@pytest.mark.parametrize(
    ("name", "value"),
    [("RMW_IMPLEMENTATION", "rmw_cyclonedds_cpp"), *((name, "mine.xml") for name in PROFILES)],
)
def test_who_has_another_middleware_or_profiles_of_their_own_stays_here_too(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    stay_on_this_machine()
    assert os.environ[name] == value
    assert os.environ[RANGE] == "LOCALHOST"
