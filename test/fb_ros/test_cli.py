"""The command line: help, JSON, refusals in one line."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from fb_ros.cli import main
from fb_ros.command_tables import all_commands, load_command
from fb_ros.errors import FbRosError


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    text = capsys.readouterr().out
    for name in all_commands():
        assert name in text


@pytest.mark.parametrize("name", list(all_commands()))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    # A benchmark is a command of its own.
    words = [name, "prompts"] if name == "benchmark" else name.split()
    with pytest.raises(SystemExit) as end:
        main([*words, "--help"])
    assert end.value.code == 0
    assert "--json" in capsys.readouterr().out


def test_json_is_the_only_thing_on_standard_output(
    shipped_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--bundle", str(shipped_bundle), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"] == str(shipped_bundle)


def test_inspect_shows_what_a_reward_can_see(
    reaching_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--bundle", str(reaching_bundle)]) == 0
    assert "*tcp_pos" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["fly"], "no such command; possible: collect"),
        (["inspect", "--bundle", "/nowhere/at/all"], "there is no bundle"),
        (["evaluate", "--bundle", "jaco", "--task", "juggle"], "possible: reach, reach_top_left"),
        (["evaluate", "--bundle", "jaco", "--goals", "0"], "expected at least 1"),
        (["demo", "--real-time-factor", "-1"], "real_time_factor"),
        (["collect", "--robot", "yaco", "--out", "unused"], "possible: jaco, point_mass"),
    ],
)
def test_a_refusal_is_one_line_and_a_failure(
    words: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert expected in captured.err


def test_every_command_of_a_table_exists() -> None:
    for name in all_commands():
        assert callable(load_command(name).run)


def test_a_package_of_the_same_name_is_named_as_what_hides_ours(tmp_path: Path) -> None:
    (tmp_path / "sim").mkdir()
    (tmp_path / "sim" / "__init__.py").touch()
    ended = subprocess.run(
        [sys.executable, "-m", "fb_ros.cli", "demo", "--goals", "1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert f"{tmp_path / 'sim'} hides the package sim" in ended.stderr


@pytest.mark.parametrize(
    ("lacking", "remedy"),
    [("mujoco", r"pip install 'fb_ros\[ros,sim\]'"), ("sim.client", "install it again")],
)
def test_a_missing_package_and_a_missing_module_are_told_apart(
    lacking: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.import_module

    def import_module(name: str) -> ModuleType:
        if name == "sim.commands.demo":
            raise ModuleNotFoundError(name=lacking)
        return real(name)

    monkeypatch.setattr("fb_ros.command_tables.importlib.import_module", import_module)
    with pytest.raises(FbRosError, match=f"{lacking}.*{remedy}"):
        load_command("demo")


@pytest.mark.parametrize("words", ["--help", "inspect --bundle jaco", "train --help"])
def test_a_reader_that_stops_ends_it_quietly(words: str) -> None:
    command = f"{sys.executable} -m fb_ros.cli {words} | head -n 1"
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert ended.stdout.count("\n") == 1
    assert "Traceback" not in ended.stderr
    assert "Broken pipe" not in ended.stderr


def test_nobody_reads_at_all(root: Path) -> None:
    """The pipe is closed before anything is written."""
    command = (
        f"{sys.executable} -m fb_ros.cli inspect --bundle jaco | true; exit ${{PIPESTATUS[0]}}"
    )
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=root)
    assert ended.stderr == ""
    assert ended.returncode == 141


@pytest.mark.parametrize("flag", ["--reward", "--text"])
def test_a_nul_byte_in_a_prompt_is_refused(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prompt", "--dry-run", "--bundle", "jaco", flag, "wave\0 0.3"]) != 0
    assert "NUL byte" in capsys.readouterr().err
