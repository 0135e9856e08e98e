"""A driver's names of joints become the robot's, or are refused."""

from __future__ import annotations

from typing import Any

import pytest

from fb_ros.errors import FbRosError
from fb_ros.robot.joint_renaming import joint_renaming
from sim.robots.registry import make_environment

ROBOT = make_environment("point_mass").spec


@pytest.mark.parametrize(
    ("theirs", "sent", "expected"),
    [
        ({}, ["root_y", "lamp"], ("root_y", "lamp")),
        ({"root_x": "pm_x"}, ["pm_x", "root_y"], ("root_x", "root_y")),
        # Motors that were plugged in the other way round.
        ({"root_x": "root_y", "root_y": "root_x"}, ["root_x", "root_y"], ("root_y", "root_x")),
        # Another device has a joint of the renamed one's name.
        ({"root_x": "pm_x"}, ["root_x", "pm_x"], ("another root_x", "root_x")),
    ],
)
def test_names_are_the_robots(
    theirs: dict[str, str], sent: list[str], expected: tuple[str, ...]
) -> None:
    assert joint_renaming(theirs, ROBOT, "these").to_robot(sent) == expected


@pytest.mark.parametrize(
    ("theirs", "expected"),
    [
        ({"pm_x": "root_x"}, "these name pm_x; robot point_mass has root_x, root_y"),
        ({"root_x": 3}, "these call root_x 3, expected a name"),
        ({"root_x": ""}, "these call root_x '', expected a name"),
        ({"root_x": "root_y"}, "root_x and root_y of robot point_mass with the one name root_y"),
        ({"root_x": "x", "root_y": "x"}, "root_x and root_y of robot point_mass with the one"),
        ({1: "x"}, "these name 1; robot"),
    ],
)
def test_a_wrong_renaming_is_refused(theirs: dict[Any, Any], expected: str) -> None:
    with pytest.raises(FbRosError, match=expected):
        joint_renaming(theirs, ROBOT, "these")
