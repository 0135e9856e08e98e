"""The pages on extending fb_ros, followed to the letter in a copy of the source."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    """A copy of the source, in which a reader adds files and lines."""
    for name in ("fb_ros", "sim", "training", "models", "config"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(root / name, tmp_path / name, ignore=ignored)
    shutil.copy(root / "package.xml", tmp_path)
    return tmp_path


def blocks(page: Path, language: str) -> list[str]:
    """The code of a page, block by block."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.M | re.S)


def add_line(file: Path, table: str, line: str) -> None:
    """Adds a line at the head of a table."""
    text = file.read_text("utf-8")
    assert table in text
    file.write_text(text.replace(table, table + line, 1), "utf-8")


def run(copy: Path, *words: str) -> None:
    """Runs Python in the copy, which comes before the checkout on its path."""
    environment = {**os.environ, "PYTHONPATH": str(copy), "OMP_NUM_THREADS": "1"}
    ran = subprocess.run(
        [sys.executable, *words],
        cwd=copy,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_a_robot_is_added_as_the_page_says(root: Path, copy: Path) -> None:
    page = root / "docs" / "add_a_robot.md"
    file, line, test = blocks(page, "python")
    (copy / "sim/robots/cart.py").write_text(file, "utf-8")
    add_line(copy / "sim/robots/registry.py", "_ROBOTS = {\n", line)
    (copy / "test_cart.py").write_text(test, "utf-8")
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_cart.py")
    # As the page has them, on a smaller scale.
    (commands,) = blocks(page, "sh")
    smaller = {"--episodes 200": "--episodes 10", "--updates 3000": "--updates 20"}
    smaller["--out models/cart"] = "--out models/cart --goals 2 --reference-states 500"
    smaller["--goals 20"] = "--goals 2"
    for before, after in smaller.items():
        assert before in commands
        commands = commands.replace(before, after)
    for command in commands.splitlines()[:-1]:
        run(copy, "-m", "fb_ros.cli", *command.split()[1:])


def test_a_backend_is_added_as_the_page_says(root: Path, copy: Path) -> None:
    file, line, test = blocks(root / "docs" / "add_a_backend.md", "python")
    (copy / "reference_backend.py").write_text(file, "utf-8")
    add_line(copy / "fb_ros/backends/__init__.py", "_BACKENDS = {\n", line)
    (copy / "test_reference_backend.py").write_text(test, "utf-8")
    run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_reference_backend.py")
    run(copy, "-c", "from fb_ros.backends import BACKEND_NAMES as b; assert 'reference' in b")


def apply(copy: Path, page: Path) -> None:
    """Makes the changes of a page's diffs, each in the file that the page named last."""
    file = Path()
    parts = re.split(r"^```(\w+)\n(.*?)^```", page.read_text("utf-8"), flags=re.M | re.S)
    for words, language, block in zip(parts[::3], parts[1::3], parts[2::3], strict=False):
        named = re.findall(r"`([\w/]+\.py)`", words)
        file = copy / named[-1] if named and "/" in named[-1] else file
        if language == "diff":
            lines = block.splitlines(keepends=True)
            before = "".join(line[1:] or line for line in lines if line[0] != "+")
            after = "".join(line[1:] or line for line in lines if line[0] != "-")
            text = file.read_text("utf-8")
            assert text.count(before) >= 1, f"{file} does not hold\n{before}"
            file.write_text(text.replace(before, after, 1), "utf-8")


def test_a_prompt_is_added_as_the_page_says(root: Path, copy: Path) -> None:
    page = root / "docs" / "add_a_prompt.md"
    (module,) = blocks(page, "python")
    (copy / "fb_ros/task_inference/tasks/away_task.py").write_text(module, "utf-8")
    apply(copy, page)
    # The text reads back, and is taken alone, in a blend and as a skill's text.
    run(
        copy,
        "-c",
        "from fb_ros import RewardInference, load_bundle, parse_prompt\n"
        "import fb_ros.nodes.task_inference_node\n"
        "inference = RewardInference(load_bundle('point_mass'))\n"
        "for text in ('away(0.1, 0.1, 0.01)', 'away(0, 0, 0.01) 0.5 + reward(tcp_pos[0]) 0.5'):\n"
        "    prompt = parse_prompt(text)\n"
        "    assert parse_prompt(prompt.text) == prompt\n"
        "    assert inference.infer(prompt).figures['predicted_reward'] > 0\n",
    )
