"""`task_inference_node`'s side of the twin: it asks any listening twin, and never waits."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from fb_ros.errors import FbRosError
from fb_ros.nodes.qos import EVENTS
from fb_ros.nodes.twin.twin_messages import (
    TwinAnswer,
    TwinQuestion,
    from_answer_message,
    to_question_message,
)
from fb_ros.task_inference.inference import Inference


class TwinClient:
    """Asks about the newest prompt; answers to older ones are dropped."""

    def __init__(
        self, node: Node, model_id: str, on_answer: Callable[[Inference, TwinAnswer], None]
    ) -> None:
        """`on_answer` gets the inference of the question, and the twin's answer."""
        self._node, self._model_id, self._on_answer = node, model_id, on_answer
        self._asked: tuple[int, Inference] | None = None
        self._questions = node.create_publisher(Float64MultiArray, "twin/question", EVENTS)
        node.create_subscription(DiagnosticStatus, "twin/answer", self._answered, EVENTS)

    def ask(self, number: int, inference: Inference) -> bool:
        """Asks about the prompt `number`; returns whether there is a twin and something to try."""
        self._asked = None
        proposals = inference.proposals
        if proposals is None or not self._questions.get_subscription_count():
            return False
        self._asked = number, inference
        question = TwinQuestion(
            model_id=self._model_id,
            number=number,
            text=inference.text,
            proposals=np.asarray(proposals),
        )
        self._questions.publish(to_question_message(question))
        return True

    def _answered(self, message: DiagnosticStatus) -> None:
        try:
            answer = from_answer_message(message)
        except FbRosError as error:
            self._node.get_logger().warning(str(error), throttle_duration_sec=1.0)
            return
        if self._asked is None or answer.number != self._asked[0]:
            return
        inference = self._asked[1]
        self._asked = None
        self._on_answer(inference, answer)


def twin_values(answer: TwinAnswer) -> dict[str, str]:
    """The twin's part in the answer to a prompt."""
    trial = answer.trial
    if trial is None:
        return {"twin": f"tried nothing: {answer.refusal}"}
    return {
        "twin": "another encoding does better" if trial.best else "the model chose well",
        "twin_reward": f"{trial.earned:.4g}",
        "twin_first_reward": f"{trial.first_earned:.4g}",
        "twin_tried": str(trial.tried),
        "twin_ms": f"{trial.seconds * 1e3:.0f}",
    }
