"""The files for RViz and Foxglove are readable, and name topics that there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml


def topics_of(tree: Any) -> set[str]:
    """Values of `Topic` and `Description Topic`, wherever they stand."""
    if isinstance(tree, list):
        return {topic for part in tree for topic in topics_of(part)}
    if not isinstance(tree, dict):
        return set()
    found = {topic for part in tree.values() for topic in topics_of(part)}
    return found | {
        str(tree[key]["Value"]) for key in ("Topic", "Description Topic") if key in tree
    }


def test_rviz_reads_and_writes_the_robots_topics(root: Path) -> None:
    tree = yaml.safe_load((root / "config" / "robot.rviz").read_text(encoding="utf-8"))
    expected = {"robot_description", "goal_marker", "tcp_pose", "prompt/goal_point"}
    assert topics_of(tree) == expected
    assert tree["Visualization Manager"]["Global Options"]["Fixed Frame"] == "world"


def test_the_foxglove_layout_lays_out_the_panels_that_it_has(root: Path) -> None:
    layout = json.loads((root / "config" / "foxglove_jaco.json").read_text(encoding="utf-8"))

    def panels(part: Any) -> set[str]:
        if isinstance(part, str):
            return {part}
        return panels(part["first"]) | panels(part["second"])

    assert panels(layout["layout"]) == set(layout["configById"])
