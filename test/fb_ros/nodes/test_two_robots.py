"""Two robots in one graph never hear a word of each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from std_msgs.msg import Float64MultiArray

from fb_ros.nodes.qos import LATCHED, STREAM
from test.fb_ros.nodes.conftest import running_robot


def test_what_is_asked_of_one_does_not_move_the_other(ros: None, root: Path) -> None:
    options: dict[str, Any] = {"lockstep": "true", "use_sim_time": "false"}
    with (
        running_robot(root, "jaco", namespace="left", **options) as left,
        running_robot(root, "point_mass", namespace="right", **options) as right,
    ):
        heard: dict[str, list[Float64MultiArray]] = {"z": [], "commands": []}
        right.create_subscription(Float64MultiArray, "z", heard["z"].append, LATCHED)
        right.create_subscription(Float64MultiArray, "commands", heard["commands"].append, STREAM)
        left.wait_for_z(left.publish_goal(np.array([0.1, 0.1, 0.2])))
        start = left.position()
        for _ in range(20):
            left.step()
        assert np.linalg.norm(left.position() - start) > 0.01
        assert right.policy_state() != "moving"
        right.wait_for_z(right.publish_goal(np.array([0.1, 0.1, 0.01])))
        for _ in range(20):
            right.step()
        # What it has heard is its own from the first word on.
        assert all(len(message.data) == 40 for message in heard["z"])
        assert all(len(message.data) == 2 for message in heard["commands"])
        for robot in (left, right):
            assert robot.policy_figures()["refused_z"] == "0"
            assert robot.policy_figures()["refused_observations"] == "0"
