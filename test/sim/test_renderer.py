"""A renderer that is not there stops nobody who draws nothing, and is named to who does."""

from __future__ import annotations

import ctypes.util
import os

import pytest

from fb_ros.errors import FbRosError
from sim import renderer


@pytest.fixture(autouse=True)
def nothing_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer, "_missing", [])
    monkeypatch.setattr(ctypes.util, "find_library", {"EGL": "libEGL.so.1"}.get)


@pytest.mark.parametrize("word", ["off", "disable", "", "0"])
def test_none_is_taken_where_none_is_wanted(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    monkeypatch.setenv("MUJOCO_GL", word)
    renderer.choose_renderer()
    assert os.environ["MUJOCO_GL"] == "off"
    with pytest.raises(FbRosError, match="videos need a renderer; set MUJOCO_GL=egl"):
        renderer.require_renderer("videos")


@pytest.mark.parametrize(("word", "reason"), [("osmesa", "libOSMesa"), ("abacus", "none like")])
def test_one_that_cannot_be_loaded_is_named_to_who_draws(
    monkeypatch: pytest.MonkeyPatch, word: str, reason: str
) -> None:
    monkeypatch.setenv("MUJOCO_GL", word)
    renderer.choose_renderer()
    assert os.environ["MUJOCO_GL"] == "off"
    with pytest.raises(FbRosError, match=f"MUJOCO_GL is {word}, and .*{reason}"):
        renderer.require_renderer("pictures")


def test_one_that_is_there_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "egl")
    renderer.choose_renderer()
    assert os.environ["MUJOCO_GL"] == "egl"
    renderer.require_renderer("pictures")
