"""A twin corrects the model's choice about a second later, and nobody has to wait for it."""

from __future__ import annotations

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from std_msgs.msg import Float64MultiArray

from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import to_array_message, values_of
from fb_ros.nodes.qos import EVENTS, LATCHED
from fb_ros.nodes.twin.twin_messages import (
    TwinAnswer,
    TwinQuestion,
    from_answer_message,
    from_question_message,
    to_answer_message,
    to_question_message,
)
from fb_ros.task_inference.trial import Trial
from sim.client.robot_client import RobotClient
from sim.client.robot_processes import RobotProcesses
from test.fb_ros.nodes.conftest import StartRobot


def answers_of(client: RobotClient) -> list[dict[str, str]]:
    answers: list[dict[str, str]] = []
    client.create_subscription(
        DiagnosticStatus, "prompt/status", lambda s: answers.append(values_of(s)), LATCHED
    )
    return answers


def wait_for_twin(client: RobotClient) -> None:
    """Until its questions are heard; whoever asks before that goes without."""
    client.wait_for(lambda: client.count_subscribers("twin/question") > 0, "the twin")


def test_the_answer_says_what_the_twin_saw(
    start_robot: StartRobot, processes: list[RobotProcesses]
) -> None:
    client = start_robot(twin="true")
    answers = answers_of(client)
    wait_for_twin(client)
    first = values_of(client.publish_formula("tcp_pos[0]"))
    assert first["twin"] == "asked"
    client.wait_for(lambda: "twin_ms" in answers[-1], "what the twin saw")
    told = answers[-1]
    assert (told["text"], told["number"]) == (first["text"], first["number"])
    assert float(told["twin_reward"]) == float(told["predicted_reward"]) > 0.1
    client.wait_for(lambda: client.policy_figures().get("z") == told["z"], "policy_node to follow")
    # A goal leaves nothing to try.
    assert "twin" not in values_of(client.publish_goal(np.array([0.1, 0.1, 0.01])))
    # Without its twin the robot goes on with what the model chooses.
    processes[0].end("twin_node")
    client.wait_for(lambda: client.count_subscribers("twin/question") == 0, "the twin to be gone")
    alone = client.publish_formula("-tcp_pos[0]")
    assert "twin" not in values_of(alone)
    client.wait_for_z(alone)


def test_questions_that_make_no_sense_are_refused_and_the_next_one_answered(
    start_robot: StartRobot,
) -> None:
    client = start_robot(twin="true")
    wait_for_twin(client)
    answers: list[DiagnosticStatus] = []
    client.create_subscription(DiagnosticStatus, "twin/answer", answers.append, EVENTS)
    publisher = client.create_publisher(Float64MultiArray, "twin/question", EVENTS)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, "the twin")
    client.wait_for(lambda: client.count_publishers("twin/answer") > 0, "the twin's answers")
    publisher.publish(to_array_message(np.ones(3)))
    question = TwinQuestion(
        model_id="0" * 64, number=7, text="reward(tcp_pos[0])", proposals=np.ones((2, 3))
    )
    publisher.publish(to_question_message(question))
    client.wait_for(lambda: bool(answers), "a refusal")
    assert from_answer_message(answers[0]).number == 7
    assert "this twin has" in from_answer_message(answers[0]).refusal
    client.publish_formula("tcp_pos[1]")
    client.wait_for(lambda: len(answers) > 1, "an answer")
    assert from_answer_message(answers[1]).trial is not None


def test_messages_carry_what_was_asked_and_answered() -> None:
    question = TwinQuestion(
        model_id="ab", number=3, text="reward(x > 1)", proposals=np.arange(6.0).reshape(2, 3)
    )
    found = from_question_message(to_question_message(question))
    assert (found.model_id, found.number, found.text) == ("ab", 3, "reward(x > 1)")
    np.testing.assert_array_equal(found.proposals, question.proposals)
    for answer in (
        TwinAnswer(number=3, trial=Trial(best=1, earned=0.5, share=0.7, tried=2, seconds=0.25)),
        TwinAnswer(number=4, refusal="nobody knows"),
    ):
        assert from_answer_message(to_answer_message(answer, "twin", "cart")) == answer
    with pytest.raises(FbRosError, match="lacks or garbles"):
        from_answer_message(DiagnosticStatus())
    wrong = to_question_message(question)
    wrong.data = wrong.data[:-1]
    with pytest.raises(FbRosError, match="another shape than its layout says"):
        from_question_message(wrong)
