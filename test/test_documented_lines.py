"""The command lines of README and docs are what the programs take: each is tried as it stands."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fb_ros.bringup.options import OPTIONS
from fb_ros.cli import main
from fb_ros.prompts.prompt_text import parse_prompt

TOPICS = {
    "prompt/goal_point": "geometry_msgs/msg/PointStamped",
    "prompt/goal_state": "std_msgs/msg/Float64MultiArray",
    "prompt/velocity": "geometry_msgs/msg/TwistStamped",
    "prompt/reward": "std_msgs/msg/String",
    "prompt/reward_samples": "std_msgs/msg/Float64MultiArray",
    "prompt/reward_value": "std_msgs/msg/Float32",
    "prompt/skill": "std_msgs/msg/String",
    "prompt/status": "diagnostic_msgs/msg/DiagnosticStatus",
    "prompt/progress": "diagnostic_msgs/msg/DiagnosticStatus",
    "estop": "std_msgs/msg/Bool",
}


def shell_lines(root: Path) -> Iterator[list[str]]:
    """The words of every command in a block for the shell, without its environment's folder."""
    for page in [root / "README.md", *sorted((root / "docs").glob("*.md"))]:
        for block in re.findall(r"```sh\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                words = shlex.split(line, comments=True)
                if words:
                    yield [words[0].removeprefix(".venv/bin/"), *words[1:]]


def lines_of(root: Path, *start: str) -> list[list[str]]:
    found = [words for words in shell_lines(root) if words[: len(start)] == list(start)]
    assert found, start
    return found


def fill(message: Any, values: dict[str, Any]) -> None:
    """Sets fields as `ros2 topic pub` does; a name or a type that is wrong raises."""
    for name, value in values.items():
        field = getattr(message, name)
        if isinstance(value, dict):
            fill(field, value)
        else:
            setattr(message, name, type(field)(value))


def test_every_published_message_fits_its_topic(root: Path) -> None:
    pytest.importorskip("rclpy")
    for words in lines_of(root, "ros2", "topic", "pub"):
        topic, kind, values = [word for word in words[3:] if not word.startswith("-")]
        name = topic.strip("/").partition("/")[2]
        assert TOPICS[name] == kind
        package, _, message = kind.split("/")
        fill(getattr(importlib.import_module(f"{package}.msg"), message)(), yaml.safe_load(values))


def test_answers_are_shown_in_full(root: Path) -> None:
    for words in lines_of(root, "ros2", "topic", "echo"):
        names = [word for word in words[3:] if not word.startswith("-")]
        assert TOPICS[names[0].strip("/").partition("/")[2]] == names[1]
        # Its default cuts a refusal off where it begins to say why.
        assert "--full-length" in words


def test_every_launch_file_is_there_and_takes_its_arguments(root: Path) -> None:
    for words in lines_of(root, "ros2", "launch", "fb_ros"):
        assert (root / "launch" / words[3]).is_file()
        options = {option.name: option for option in OPTIONS}
        for word in words[4:]:
            name, _, value = word.partition(":=")
            if name in options:
                assert not options[name].choices or value in options[name].choices
            else:
                assert name in ("robot", "--show-args"), word


def test_every_prompt_is_one(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in lines_of(root, "fb_ros", "prompt"):
        flags = words[2:]
        if "--text" in flags:
            line = flags[flags.index("--text") + 1]
            if not line.startswith(("save ", "list", "rename ", "delete ", "anew ")):
                # A word alone is a skill that was saved before; whether it was is not known here.
                parse_prompt(line)
        elif any("torso_height > 1.0" in flag for flag in flags):
            # It is about dm_control's walker, of whom no model ships.
            parse_prompt(f"reward({flags[flags.index('--reward') + 1]})")
        elif "--reward-value" not in flags:
            model = "go2" if any("torso_" in flag for flag in flags) else "jaco_hand"
            bundle = [] if "--bundle" in flags else ["--bundle", model]
            dry = [] if "--dry-run" in flags else ["--dry-run"]
            assert main(["prompt", *flags, *bundle, *dry]) == 0, flags
            capsys.readouterr()
