"""Commands run, or say in one line what to set, where the environment is not what they expect."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fb_ros.backends.engines.cache import cache_folder
from fb_ros.cli import main
from fb_ros.errors import FbRosError
from fb_ros.nodes.run import init_ros
from fb_ros.paths import find_bundle, skills_folder


def test_a_value_may_begin_with_a_minus(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["prompt", "--bundle", "jaco", "--dry-run", "--reward", "-norm(tcp_pos - [0, 0, 0.2])"]
    assert main(words) == 0
    assert "predicted_reward" in capsys.readouterr().out


def test_without_a_home_folder_the_variable_to_set_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nobody)
    for name in ("XDG_DATA_HOME", "XDG_CACHE_HOME", "FB_ROS_CACHE_DIR"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(FbRosError, match=r"no home folder .* set XDG_DATA_HOME to a folder"):
        skills_folder("jaco")
    with pytest.raises(FbRosError, match=r"no home folder .* set FB_ROS_CACHE_DIR to a folder"):
        cache_folder()


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("FB_ROS_CACHE_DIR", "~/engines")
    assert cache_folder() == tmp_path / "engines"
    assert find_bundle(Path("~/models/jaco")) == tmp_path / "models" / "jaco"


@pytest.mark.parametrize("domain", ["abc", "-1", "233", "1.5"])
def test_an_invalid_domain_is_named(monkeypatch: pytest.MonkeyPatch, domain: str) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", domain)
    with pytest.raises(FbRosError, match=f"ROS_DOMAIN_ID is '{domain}', expected a whole number"):
        init_ros()


@pytest.mark.parametrize("renderer", ["osmesa", "nonsense", "disable"])
def test_what_draws_nothing_runs_without_a_renderer(renderer: str) -> None:
    code = (
        "from sim.robots.registry import make_environment as make\n"
        "from sim.picture import FilmStrip\n"
        "from fb_ros.errors import FbRosError\n"
        "robot = make('point_mass')\n"
        "try:\n"
        "    FilmStrip(robot)\n"
        "except FbRosError as error:\n"
        "    print(error)\n"
    )
    environment = {**os.environ, "MUJOCO_GL": renderer, "PYOPENGL_PLATFORM": ""}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert "pictures need a renderer" in run.stdout or "MUJOCO_GL" in run.stdout or not run.stdout


def test_a_console_that_is_not_utf_8_shows_what_it_can() -> None:
    code = "from fb_ros.cli import main; main(['inspect', '--bundle', 'gibt…es'])"
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "PYTHONUTF8": "0"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, check=False
    )
    assert b"Traceback" not in run.stderr
    assert b"gibt?es" in run.stderr or b"gibt" in run.stderr
