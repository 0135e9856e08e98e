"""`twin_node`: tries the model's proposals in simulation, from the robot's present state."""

from __future__ import annotations

import os
import sys
from typing import Any

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from fb_ros.errors import FbRosError
from fb_ros.nodes.drain import drain
from fb_ros.nodes.parameters import declare_bundle, declare_text
from fb_ros.nodes.qos import EVENTS
from fb_ros.nodes.run import run_node
from fb_ros.nodes.single_instance import SingleInstance
from fb_ros.nodes.state_watch import StateWatch
from fb_ros.nodes.twin.twin_messages import (
    TwinAnswer,
    TwinQuestion,
    from_question_message,
    to_answer_message,
)
from fb_ros.prompts.prompt_text import MAX_SKILL_LENGTH, parse_prompt
from fb_ros.task_inference.reward_inference import RewardInference
from sim.twin.twin import Twin

# The robot's own nodes come first, so this node runs at a lower priority.
_NICENESS = 10


class TwinNode(Node):
    """Answers questions about the newest prompt; older ones are out of date."""

    def __init__(self) -> None:
        super().__init__("twin_node")
        instance = SingleInstance(self)
        bundle = declare_bundle(self)
        backend = declare_text(self, "backend", "auto", "inference runtime, for what is asked")
        os.nice(_NICENESS)
        self._model_id, self._robot = bundle.model_id, bundle.robot.name
        self._inference = RewardInference(bundle, backend)
        self._twin = Twin(bundle)
        instance.wait()
        self._question: TwinQuestion | None = None
        self._states = StateWatch(self, bundle.robot)
        self._answers = self.create_publisher(DiagnosticStatus, "twin/answer", EVENTS)
        self._questions = self.create_subscription(
            Float64MultiArray, "twin/question", self._on_question, EVENTS
        )
        # A timer answers, not the callback that receives the question: the state that arrived
        # during the last trial has to be read first.
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(bundle.robot.ctrl_dt, self._work, clock=wall)
        self.get_logger().info(f"a twin of {self._robot} is up")

    def _on_question(self, message: Float64MultiArray, info: dict[str, Any]) -> None:
        newest = drain(self._questions, message, info)[-1][0]
        try:
            self._question = from_question_message(newest)
        except FbRosError as error:
            self.get_logger().warning(str(error), throttle_duration_sec=1.0)

    def _work(self) -> None:
        question, self._question = self._question, None
        if question is None:
            return
        try:
            answer = self._answer(question)
        except FbRosError as error:
            answer = TwinAnswer(number=question.number, refusal=str(error))
        name = f"{self.get_fully_qualified_name()}: twin"
        self._answers.publish(to_answer_message(answer, name, self._robot))

    def _answer(self, question: TwinQuestion) -> TwinAnswer:
        if question.model_id != self._model_id:
            raise FbRosError(
                f"the question is about model {question.model_id[:12]}, this twin has "
                f"{self._model_id[:12]}"
            )
        objective = self._inference.objective(
            parse_prompt(question.text, longest=MAX_SKILL_LENGTH)
        )
        if objective is None:
            raise FbRosError("nobody knows what this prompt is after")
        trial = self._twin.try_out(self._states.state(), objective, question.proposals)
        return TwinAnswer(number=question.number, trial=trial)


def main() -> int:
    """Entry point of the process."""
    return run_node("twin_node", TwinNode)


if __name__ == "__main__":
    sys.exit(main())
