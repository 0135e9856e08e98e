"""Every prompt is answered, and a refused one changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PointStamped
from std_msgs.msg import Float64MultiArray

from fb_ros.nodes.messages import label_of, to_array_message
from fb_ros.nodes.qos import LATCHED, PROMPT
from sim.robot_client import RobotClient, values_of
from test.nodes.conftest import StartRobot

GOAL = np.array([0.1, 0.1, 0.01])


@pytest.fixture
def client(start_robot: StartRobot) -> RobotClient:
    return start_robot(lockstep="true")


def z_messages(client: RobotClient) -> list[Float64MultiArray]:
    messages: list[Float64MultiArray] = []
    client.create_subscription(Float64MultiArray, "z", messages.append, LATCHED)
    return messages


def test_a_goal_becomes_a_z_that_carries_the_models_id(client: RobotClient) -> None:
    messages = z_messages(client)
    status = client.publish_goal(GOAL)
    assert status.level == DiagnosticStatus.OK
    values = values_of(status)
    client.wait_for(lambda: bool(messages), "z")
    assert label_of(messages[0]) == values["model_id"]
    assert float(values["time_ms"]) > 0.0


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_a_goal_that_is_not_finite_is_refused_and_z_stays(
    client: RobotClient, wrong: float
) -> None:
    client.wait_for_z(client.publish_goal(GOAL))
    messages = z_messages(client)
    client.wait_for(lambda: bool(messages), "the latched z")
    status = client.publish_goal(np.array([0.0, wrong, 0.0]))
    assert status.level == DiagnosticStatus.ERROR
    assert "not finite" in status.message
    # The next answer comes after anything that the refused prompt might have caused.
    client.publish_goal(GOAL)
    assert all(message.data == messages[0].data for message in messages)


def test_a_goal_in_an_unknown_frame_is_refused(client: RobotClient) -> None:
    answers: list[DiagnosticStatus] = []
    client.create_subscription(DiagnosticStatus, "prompt/status", answers.append, LATCHED)
    publisher = client.create_publisher(PointStamped, "prompt/goal_point", PROMPT)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "task_inference_node")
    message = PointStamped()
    message.header.frame_id = "moon"
    publisher.publish(message)
    client.wait_for(lambda: bool(answers), "an answer")
    assert answers[0].level == DiagnosticStatus.ERROR
    assert "frame 'moon' is unknown; publish points in 'world'" in answers[0].message


def test_a_goal_outside_the_data_is_tried_and_the_distance_told(client: RobotClient) -> None:
    status = client.publish_goal(np.array([5.0, 0.0, 0.01]))
    assert status.level == DiagnosticStatus.WARN
    assert "outside the data" in status.message
    assert "4.7" in status.message
    client.wait_for_z(status)


def test_a_z_of_another_model_is_refused(client: RobotClient) -> None:
    client.wait_for_z(client.publish_goal(GOAL))
    before = client.policy_figures()
    publisher = client.create_publisher(Float64MultiArray, "z", LATCHED)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "policy_node")
    publisher.publish(to_array_message(np.ones(32), "0" * 64))
    client.wait_for(lambda: client.policy_figures()["refused_z"] == "1", "a refusal")
    assert client.policy_figures()["z"] == before["z"]
