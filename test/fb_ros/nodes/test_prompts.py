"""Every prompt is answered, and a refused one changes nothing."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PointStamped, TwistStamped
from rclpy.qos import DurabilityPolicy, QoSProfile
from std_msgs.msg import Float32, Float64MultiArray, Header, String

from fb_ros.bundle.bundle import load_bundle
from fb_ros.nodes.messages import label_of, to_array_message, values_of
from fb_ros.nodes.qos import LATCHED, PROMPT
from sim.client.robot_client import RobotClient
from test.fb_ros.nodes.conftest import WALL_CLOCK, StartRobot

GOAL = np.array([0.1, 0.1, 0.01])


@pytest.fixture
def client(shared_robot: RobotClient) -> RobotClient:
    return shared_robot


def answers_of(client: RobotClient) -> list[DiagnosticStatus]:
    """Answers to prompts from now on; the last one is latched, if only that the node is ready."""
    seen: list[int] = []
    answers: list[DiagnosticStatus] = []

    def keep(status: DiagnosticStatus) -> None:
        seen.append(int(values_of(status)["number"]))
        if seen[-1] > seen[0]:
            answers.append(status)

    client.create_subscription(DiagnosticStatus, "prompt/status", keep, LATCHED)
    client.wait_for(lambda: bool(seen), "the latched answer")
    return answers


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
    answers = answers_of(client)
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


def test_a_formula_becomes_a_z_with_an_account_of_it(client: RobotClient) -> None:
    status = client.publish_formula("tcp_pos[0] > 0.1")
    assert status.level == DiagnosticStatus.OK
    values = values_of(status)
    assert 0.0 < float(values["share"]) < 1.0
    assert float(values["predicted_reward"]) > 0.0
    client.wait_for_z(status)


def test_a_formula_that_is_wrong_is_answered_with_where_and_changes_nothing(
    client: RobotClient,
) -> None:
    client.wait_for_z(client.publish_goal(GOAL))
    before = client.policy_figures()["z"]
    status = client.publish_formula("exp(-norm(tcp_poz))")
    assert status.level == DiagnosticStatus.ERROR
    assert "at character 11" in status.message
    assert "did you mean tcp_pos?" in status.message
    client.wait_for_z(client.publish_goal(GOAL))
    assert client.policy_figures()["z"] == before


def test_a_skill_is_saved_and_asked_for_again(client: RobotClient) -> None:
    first = client.publish_formula("tcp_pos[0] > 0.1")
    assert (
        "saved as skill right: reward(tcp_pos[0] > 0.1)"
        in client.publish_skill("save right").message
    )
    client.wait_for_z(client.publish_goal(GOAL))
    again = client.publish_skill("right")
    client.wait_for_z(again)
    assert values_of(again)["z"] == values_of(first)["z"]
    blend = client.publish_skill("right 0.5 + goal_point(0, 0.1, 0.01) 0.5")
    client.wait_for_z(blend)
    assert values_of(blend)["z"] != values_of(first)["z"]
    assert client.publish_skill("left").level == DiagnosticStatus.ERROR


def test_rewards_for_where_the_robot_is_accumulate(client: RobotClient) -> None:
    # An answer from the newest state: from here on the node knows where the robot is.
    client.publish_goal(GOAL)
    answers = answers_of(client)
    publisher = client.create_publisher(Float32, "prompt/reward_value", PROMPT)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "task_inference_node")
    labelled = []
    for count in (1, 2):
        publisher.publish(Float32(data=1.0))
        client.wait_for(lambda count=count: len(answers) == count, "an answer")  # type: ignore[misc]
        assert answers[-1].level == DiagnosticStatus.OK
        labelled.append(int(values_of(answers[-1])["labelled_states"]))
    assert labelled[1] == labelled[0] + 1


# Messages that are wrong in every way that their type allows.
WRONG: list[tuple[str, type, object]] = [
    ("goal_state", Float64MultiArray, Float64MultiArray()),
    ("goal_state", Float64MultiArray, Float64MultiArray(data=[1.0] * 4)),
    ("goal_state", Float64MultiArray, Float64MultiArray(data=[np.nan] * 5)),
    ("goal_state", Float64MultiArray, to_array_message(np.zeros(5), "0" * 64)),
    ("reward_samples", Float64MultiArray, Float64MultiArray()),
    ("reward_samples", Float64MultiArray, Float64MultiArray(data=[0.0] * 5)),
    ("reward_samples", Float64MultiArray, Float64MultiArray(data=[0.0] * 5 + [np.inf])),
    ("reward_samples", Float64MultiArray, Float64MultiArray(data=[0.0] * 12)),
    ("reward_value", Float32, Float32(data=float("nan"))),
    ("velocity", TwistStamped, TwistStamped(header=Header(frame_id="moon"))),
    ("reward", String, String()),
    ("reward", String, String(data="\u00e9\u0000")),
    ("reward", String, String(data="x" * 1_000_000)),
    ("reward", String, String(data="1e999 * tcp_pos[0]")),
    # In no known encoding: a message as it goes over the wire, with the byte 0xff for a text.
    ("reward", String, b"\x00\x01\x00\x00\x02\x00\x00\x00\xff\x00"),
    ("skill", String, String()),
    ("skill", String, String(data="../../etc/passwd")),
    ("skill", String, String(data="save " + "x" * 1_000_000)),
]


def test_every_wrong_message_is_answered_in_one_line_and_changes_nothing(
    client: RobotClient,
) -> None:
    client.wait_for_z(client.publish_goal(GOAL))
    messages = z_messages(client)
    client.wait_for(lambda: bool(messages), "the latched z")
    answers = answers_of(client)
    publishers = {
        topic: client.create_publisher(kind, f"prompt/{topic}", PROMPT) for topic, kind, _ in WRONG
    }
    for topic, publisher in publishers.items():
        client.wait_for(lambda p=publisher: p.get_subscription_count() > 0, topic)  # type: ignore[misc]
    for topic, _, message in WRONG:
        before = len(answers)
        publishers[topic].publish(message)
        client.wait_for(lambda before=before: len(answers) > before, f"an answer on {topic}")  # type: ignore[misc]
        status = answers[-1]
        assert status.level == DiagnosticStatus.ERROR, status.message
        assert "\n" not in status.message
        assert len(status.message) < 3000
        assert values_of(status)["prompt"] == topic
    client.publish_goal(GOAL)
    assert all(message.data == messages[0].data for message in messages)


def test_a_z_of_another_model_is_refused(client: RobotClient) -> None:
    client.wait_for_z(client.publish_goal(GOAL))
    before = client.policy_figures()
    publisher = client.create_publisher(Float64MultiArray, "z", LATCHED)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "policy_node")
    publisher.publish(to_array_message(np.ones(32), "0" * 64))
    refused = str(int(before["refused_z"]) + 1)
    client.wait_for(lambda: client.policy_figures()["refused_z"] == refused, "a refusal")
    client.wait_for(lambda: client.policy_figures()["z"] == before["z"], "the right one again")


def test_a_ramped_z_goes_over_to_the_new_prompt(start_robot: StartRobot, root: Path) -> None:
    client = start_robot(namespace="ramped", ramp_seconds="0.5", **WALL_CLOCK)
    blocks = load_bundle(root / "models" / "point_mass").blocks
    first = client.publish_goal(GOAL)
    client.wait_for_z(first)
    messages: list[Float64MultiArray] = []
    # Deep, since every z on the way is wanted.
    every = QoSProfile(depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    client.create_subscription(Float64MultiArray, "z", messages.append, every)
    client.wait_for(lambda: bool(messages), "the latched z")
    second = client.publish_goal(-GOAL)
    client.wait_for_z(second)
    way = [np.array(message.data) for message in messages]
    assert len(way) >= 4
    # Nearer and nearer to where it ends.
    likeness = [z @ way[-1] for z in way]
    assert all(a <= b + 1e-3 for a, b in itertools.pairwise(likeness))
    for z in way:
        for part, size in zip(np.split(z, np.cumsum(blocks)[:-1]), blocks, strict=True):
            assert np.linalg.norm(part) == pytest.approx(size**0.5, rel=1e-3) or not part.any()


def test_a_velocity_is_taken_up(client: RobotClient) -> None:
    answers = answers_of(client)
    publisher = client.create_publisher(TwistStamped, "prompt/velocity", PROMPT)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "task_inference_node")
    message = TwistStamped()
    message.twist.linear.x = 0.05
    publisher.publish(message)
    client.wait_for(lambda: bool(answers), "an answer")
    assert answers[-1].level == DiagnosticStatus.OK, answers[-1].message
    client.wait_for_z(answers[-1])
    before = client.step()["time"]
    start = client.position()
    for _ in range(10):
        end = client.step()["time"]
    client.wait_for(lambda: client.now() >= end - 1e-6, "the pose after the steps")
    assert (client.position()[0] - start[0]) / (end - before) > 0.01


def test_a_velocity_that_the_robot_does_not_have_is_refused(client: RobotClient) -> None:
    status = client.publish_skill("velocity(0, 0, 0.1, 0, 0, 0)")
    assert status.level == DiagnosticStatus.ERROR
    assert "has no such velocity" in status.message


def test_good_and_bad_steer_the_robot(client: RobotClient) -> None:
    """Bad, and it goes elsewhere; good, and it stays."""
    answers = answers_of(client)
    publisher = client.create_publisher(Float32, "prompt/reward_value", PROMPT)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "task_inference_node")

    def give(reward: float) -> None:
        before = len(answers)
        publisher.publish(Float32(data=reward))
        client.wait_for(lambda: len(answers) > before, "an answer")
        assert answers[-1].level != DiagnosticStatus.ERROR, answers[-1].message

    def go(steps: int) -> np.ndarray:
        for _ in range(steps):
            end = client.step()["time"]
        client.wait_for(lambda: client.now() >= end - 1e-6, "the pose after the steps")
        return client.position()

    client.wait_for_z(client.publish_goal(GOAL))
    there = go(60)
    give(-1.0)
    client.wait_for_z(answers[-1])
    assert np.linalg.norm(go(40) - there) > 0.1, "it stayed where it was told to be bad"
    elsewhere = client.position()
    for _ in range(3):
        give(1.0)
    client.wait_for_z(answers[-1])
    assert np.linalg.norm(go(40) - elsewhere) < 0.12, "it left where it was told to be good"
