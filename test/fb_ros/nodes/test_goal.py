"""While a goal point is asked for, its progress is published, and its arrival stays known."""

from __future__ import annotations

from typing import Any

import pytest
from diagnostic_msgs.msg import DiagnosticStatus

from fb_ros.nodes.messages import values_of
from fb_ros.nodes.qos import LATCHED
from sim.testing.plugin import StartRobot


def test_arriving_is_published_and_latched(fb_ros_robot: StartRobot) -> None:
    markers = pytest.importorskip("visualization_msgs.msg")
    robot = fb_ros_robot("point_mass", lockstep=False, real_time_factor="3")
    heard: list[DiagnosticStatus] = []
    shown: list[Any] = []
    client = robot.client
    client.create_subscription(DiagnosticStatus, "prompt/progress", heard.append, LATCHED)
    client.create_subscription(markers.Marker, "goal_marker", shown.append, LATCHED)
    asked = robot.prompt("goal_point(0.1, 0.1, 0.01)")
    client.wait_for(
        lambda: bool(heard) and values_of(heard[-1])["reached"] == "true", "the arrival"
    )
    told = values_of(heard[-1])
    assert told["number"] == asked["number"]
    assert float(told["distance_m"]) < float(told["radius_m"])
    assert any("to go" in status.message for status in heard)
    client.wait_for(lambda: bool(shown), "the marker")
    assert shown[-1].pose.position.x == 0.1
    # Who comes later hears of it, too.
    late: list[DiagnosticStatus] = []
    client.create_subscription(DiagnosticStatus, "prompt/progress", late.append, LATCHED)
    client.wait_for(lambda: bool(late), "what is latched")
    assert values_of(late[0])["reached"] == "true"
    robot.prompt("reward(tcp_pos[0] > 0)")
    client.wait_for(lambda: "no goal point" in heard[-1].message, "the end of the goal")
    assert values_of(heard[-1])["reached"] == "false"
