"""Who may import whom: one table, held folder by folder."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from sim.robots.registry import ROBOT_NAMES

PACKAGES = ("fb_ros", "sim", "training")

# Which rooms of its own package a room may import. A module that lies beside the rooms, such as
# `fb_ros.errors`, is a room of one module; a folder stands for all that lies in it.
MAY_IMPORT: dict[str, set[str]] = {
    # The public door: types for the reader, and modules that are loaded when they are used.
    "fb_ros": {
        *("fb_ros.bundle", "fb_ros.errors", "fb_ros.paths", "fb_ros.prompts", "fb_ros.robot"),
        *("fb_ros.task_inference", "fb_ros.version"),
    },
    "fb_ros.version": set(),
    "fb_ros.errors": set(),
    "fb_ros.command": set(),
    "fb_ros.settings": {"fb_ros.errors"},
    "fb_ros.described": set(),
    "fb_ros.whole_file": {"fb_ros.errors"},
    "fb_ros.plain_file": {"fb_ros.errors"},
    "fb_ros.private_files": {"fb_ros.errors"},
    "fb_ros.folder_lock": {"fb_ros.errors"},
    "fb_ros.robot": {"fb_ros.errors"},
    "fb_ros.home": {"fb_ros.errors"},
    "fb_ros.backends": {
        *("fb_ros.settings", "fb_ros.errors", "fb_ros.home", "fb_ros.private_files"),
        "fb_ros.whole_file",
    },
    "fb_ros.bundle": {"fb_ros.errors", "fb_ros.backends", "fb_ros.robot"},
    "fb_ros.paths": {"fb_ros.errors", "fb_ros.home", "fb_ros.bundle"},
    "fb_ros.prompts": {*("fb_ros.settings", "fb_ros.errors", "fb_ros.robot", "fb_ros.whole_file")},
    "fb_ros.control": {"fb_ros.errors", "fb_ros.robot", "fb_ros.bundle"},
    "fb_ros.task_inference": {
        *(
            "fb_ros.settings",
            "fb_ros.errors",
            "fb_ros.robot",
            "fb_ros.backends",
            "fb_ros.bundle",
            "fb_ros.prompts",
        ),
    },
    "fb_ros.benchmark_inference": {"fb_ros.backends", "fb_ros.bundle", "fb_ros.task_inference"},
    "fb_ros.bringup": {
        "fb_ros.described",
        "fb_ros.settings",
        "fb_ros.errors",
        "fb_ros.backends",
        "fb_ros.paths",
    },
    "fb_ros.nodes": {
        *(
            "fb_ros.described",
            "fb_ros.settings",
            "fb_ros.errors",
            "fb_ros.private_files",
            "fb_ros.robot",
            "fb_ros.backends",
            "fb_ros.bundle",
            "fb_ros.paths",
        ),
        *("fb_ros.prompts", "fb_ros.task_inference", "fb_ros.control", "fb_ros.bringup"),
    },
    "fb_ros.commands": {
        *("fb_ros.errors", "fb_ros.command", "fb_ros.robot", "fb_ros.backends", "fb_ros.bundle"),
        *("fb_ros.paths", "fb_ros.prompts", "fb_ros.task_inference", "fb_ros.nodes"),
    },
    "fb_ros.command_tables": {"fb_ros.command", "fb_ros.errors"},
    "fb_ros.cli": {"fb_ros", "fb_ros.command", "fb_ros.command_tables", "fb_ros.errors"},
    "sim": {"sim.renderer"},
    "sim.renderer": set(),
    "sim.progress": set(),
    "sim.ranges": set(),
    "sim.robots": set(),
    "sim.tasks": {"sim.robots"},
    "sim.picture": {"sim.robots", "sim.tasks", "sim.renderer"},
    "sim.twin": {"sim.robots", "sim.tasks"},
    "sim.node": {"sim.robots", "sim.tasks", "sim.ranges", "sim.twin"},
    "sim.client": {"sim.tasks"},
    "sim.testing": {"sim.client"},
    "sim.recording": set(),
    "sim.bench": {"sim.robots", "sim.tasks", "sim.node", "sim.client", "sim.progress"},
    "sim.web": {"sim.robots", "sim.tasks"},
    "sim.commands": {
        *("sim.client", "sim.robots", "sim.tasks", "sim.ranges", "sim.web", "sim.recording")
    },
    "training": set(),
    "training.compute": set(),
    "training.networks": {"training.compute"},
    "training.data": {"training.compute"},
    "training.agents": {"training.compute", "training.networks", "training.data"},
    "training.collecting": {"training.agents", "training.data", "training.compute"},
    "training.runs": {
        *(
            "training.compute",
            "training.agents",
            "training.data",
            "training.exporting",
            "training.networks",
        ),
    },
    "training.evaluation": {
        *("training.agents", "training.collecting", "training.networks", "training.data"),
    },
    "training.comparison": {
        *("training.agents", "training.data", "training.evaluation", "training.networks"),
        "training.runs",
    },
    "training.exporting": {"training.agents", "training.networks"},
    "training.benchmarks": {
        *("training.agents", "training.collecting", "training.compute", "training.data"),
        *("training.exporting", "training.networks", "training.runs"),
    },
    "training.commands": {
        *("training.agents", "training.benchmarks", "training.collecting", "training.comparison"),
        *("training.compute", "training.data", "training.evaluation", "training.exporting"),
        *("training.networks", "training.runs"),
    },
}

# The packages above, and those of others, that a package must do without.
FORBIDDEN = {
    "fb_ros": {"sim", "training", "torch", "mujoco", "dm_control", "onnx", "tqdm"},
    "sim": {"training", "torch", "onnx"},
    "training": {"rclpy"},
}


def imported_names(file: Path) -> set[str]:
    """The dotted names that a file imports: modules, and what it takes from them."""
    names = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def imported_packages(file: Path) -> set[str]:
    """The first words of what a file imports."""
    return {name.split(".")[0] for name in imported_names(file)}


def room_of(name: str) -> str:
    """The room that a dotted name belongs to: the longest entry of the table that it is in."""
    words = name.split(".")
    longer_first = (".".join(words[:count]) for count in range(len(words), 0, -1))
    return next(room for room in longer_first if room in MAY_IMPORT)


def files_of(root: Path) -> Iterator[tuple[str, Path]]:
    """Every source file, with its room."""
    for package in PACKAGES:
        for file in (root / package).rglob("*.py"):
            words = file.relative_to(root).with_suffix("").parts
            yield room_of(".".join(words).removesuffix(".__init__")), file


def arrows(root: Path) -> Iterator[tuple[str, str, Path]]:
    """A room, another one that it imports, and the file that does."""
    for room, file in files_of(root):
        for name in imported_names(file):
            if name.split(".")[0] in PACKAGES and room_of(name) != room:
                yield room, room_of(name), file


def test_a_room_imports_only_the_rooms_that_the_table_names(root: Path) -> None:
    for room, imported, file in arrows(root):
        if imported.split(".")[0] == room.split(".")[0]:
            assert imported in MAY_IMPORT[room], f"{file}: {room} imports {imported}"


def test_the_table_names_no_more_than_there_is(root: Path) -> None:
    assert {room for room, _ in files_of(root)} == set(MAY_IMPORT)
    drawn = {(room, imported) for room, imported, _ in arrows(root)}
    unused = {(room, one) for room, may in MAY_IMPORT.items() for one in may} - drawn
    assert not unused


def test_the_table_has_no_cycle() -> None:
    tuple(TopologicalSorter(MAY_IMPORT).static_order())


def test_nothing_imports_a_commands_folder(root: Path) -> None:
    for room, imported, file in arrows(root):
        assert not imported.endswith(".commands"), f"{file}: {room} imports {imported}"


@pytest.mark.parametrize("package", FORBIDDEN)
def test_a_package_imports_only_what_it_may(root: Path, package: str) -> None:
    files = list((root / package).rglob("*.py"))
    assert files
    for file in files:
        assert not imported_packages(file) & FORBIDDEN[package], file


def test_only_the_nodes_of_fb_ros_import_rclpy(root: Path) -> None:
    for file in (root / "fb_ros").rglob("*.py"):
        if file.relative_to(root / "fb_ros").parts[0] != "nodes":
            assert "rclpy" not in imported_packages(file), file


def test_only_one_file_imports_launch(root: Path) -> None:
    importing = {
        file.name
        for file in (root / "fb_ros").rglob("*.py")
        if imported_packages(file) & {"launch", "launch_ros"}
    }
    assert importing == {"launch_description.py"}


def test_only_one_file_knows_the_library_of_the_page(root: Path) -> None:
    importing = {
        file.name for file in (root / "sim").rglob("*.py") if "viser" in imported_packages(file)
    }
    assert importing == {"page.py"}


def test_the_page_knows_no_robot(root: Path) -> None:
    for file in (root / "sim" / "web").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not [name for name in ROBOT_NAMES if name in text.lower()], file


def test_nothing_in_fb_ros_knows_a_robots_name(root: Path) -> None:
    for file in (root / "fb_ros").rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        assert not [name for name in (*ROBOT_NAMES, "quadruped") if name in text.lower()], file


def test_no_folder_holds_more_modules_than_a_stranger_takes_in(root: Path) -> None:
    for package in PACKAGES:
        for folder in {file.parent for file in (root / package).rglob("*.py")}:
            modules = [file for file in folder.glob("*.py") if file.name != "__init__.py"]
            assert len(modules) <= 25, folder
