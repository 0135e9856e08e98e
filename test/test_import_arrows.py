"""training -> sim -> fb_ros, and heavy packages only in the rooms that own them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sim.registry import ROBOT_NAMES

FORBIDDEN = {
    "fb_ros": {"sim", "training", "torch", "mujoco", "dm_control", "onnx", "tqdm"},
    "sim": {"training", "torch", "onnx"},
    "training": {"rclpy"},
}


def imported_packages(file: Path) -> set[str]:
    packages = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            packages |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            packages.add((node.module or "").split(".")[0])
    return packages


@pytest.mark.parametrize("room", FORBIDDEN)
def test_a_room_imports_only_what_it_may(root: Path, room: str) -> None:
    files = list((root / room).rglob("*.py"))
    assert files
    for file in files:
        assert not imported_packages(file) & FORBIDDEN[room], file


def test_only_the_nodes_of_fb_ros_import_rclpy(root: Path) -> None:
    for file in (root / "fb_ros").rglob("*.py"):
        if file.parent.name != "nodes":
            assert "rclpy" not in imported_packages(file), file


def test_only_one_file_imports_launch(root: Path) -> None:
    importing = {
        file.name
        for file in (root / "fb_ros").rglob("*.py")
        if imported_packages(file) & {"launch", "launch_ros"}
    }
    assert importing == {"launch_description.py"}


def test_nothing_in_fb_ros_knows_a_robots_name(root: Path) -> None:
    for file in (root / "fb_ros").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not [name for name in (*ROBOT_NAMES, "quadruped") if name in text.lower()], file
