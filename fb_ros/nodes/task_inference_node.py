"""`task_inference_node`: turns prompts into `z` and answers every one of them."""

from __future__ import annotations

import datetime
import itertools
import sys
import time
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PointStamped, TwistStamped
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from std_msgs.msg import Float32, Float64MultiArray, String

from fb_ros.bundle.time_limit import within
from fb_ros.errors import FbRosError
from fb_ros.nodes.drain import drain
from fb_ros.nodes.goal.goal_watch import GoalWatch
from fb_ros.nodes.inference.inference_parameters import InferenceParameters
from fb_ros.nodes.inference.prompt_answers import PromptAnswers
from fb_ros.nodes.inference.z_publisher import ZPublisher
from fb_ros.nodes.latency import LatencyWindow
from fb_ros.nodes.messages import OK, to_diagnostics, to_status
from fb_ros.nodes.prompt_messages import (
    SHOWN,
    as_line,
    described,
    is_prompt,
    most_bytes_of_samples,
    text_of,
    to_goal_point,
    to_goal_state,
    to_reward_samples,
    to_velocity,
)
from fb_ros.nodes.qos import EVENTS, PROMPT
from fb_ros.nodes.raw_messages import MOST_BYTES, read_message
from fb_ros.nodes.run import run_node
from fb_ros.nodes.single_instance import SingleInstance
from fb_ros.nodes.state_watch import StateWatch
from fb_ros.nodes.twin.twin_client import TwinClient, twin_values
from fb_ros.nodes.twin.twin_messages import TwinAnswer
from fb_ros.paths import skills_folder
from fb_ros.prompts.feedback import FeedbackWindow
from fb_ros.prompts.prompt import Prompt, Reward
from fb_ros.prompts.prompt_text import parse_prompt
from fb_ros.prompts.skills import SkillLibrary
from fb_ros.robot.field import assemble
from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.reward_inference import RewardInference
from fb_ros.task_inference.skill_commands import run_skill_command
from fb_ros.task_inference.trial import after_trial

_WARM_UP_SECONDS = 60.0


class TaskInferenceNode(Node):
    """Publishes `z` for the newest prompt; a refused prompt leaves `z` as it was."""

    def __init__(self) -> None:
        super().__init__("task_inference_node")
        instance = SingleInstance(self)
        self._settings = InferenceParameters(self, self._change)
        self._bundle = bundle = self._settings.bundle
        self._robot, self._model_id = bundle.robot, bundle.model_id
        self._skills = SkillLibrary(self._settings.skills or skills_folder(self._robot.name))
        self._inference = RewardInference(
            bundle,
            self._settings.backend,
            skills=self._skills,
            choice=self._settings.choice,
            precision=self._settings.precision,
        )
        # The first inference sets up the runtime's memory; a person should not wait for it.
        within(
            _WARM_UP_SECONDS,
            "warming up the task encoder",
            lambda: self._inference.infer(self._inference.example()),
        )
        instance.wait()
        self._feedback = FeedbackWindow(self._settings.reward_window)
        self._present: Inference | None = None
        """The prompt in force."""
        self._states = StateWatch(self, self._robot)
        self._goal = GoalWatch(self, self._robot, self._states)
        self._z = ZPublisher(self, bundle, self._settings.ramp_seconds)
        self._twin = TwinClient(self, self._model_id, self._on_twin)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", EVENTS)
        self._latency = LatencyWindow()
        self._counts = {"prompts": 0, "refused_prompts": 0, "superseded_prompts": 0}
        self._counts |= {"twin_changes": 0}
        self._answers = PromptAnswers(self, self._model_id, self._robot.name, self._counts)
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._publish_diagnostics, clock=wall)

        self._listen("goal_point", PointStamped, lambda m: to_goal_point(m, bundle))
        self._listen("goal_state", Float64MultiArray, lambda m: to_goal_state(m, bundle))
        self._listen("velocity", TwistStamped, lambda m: to_velocity(m, bundle))
        self._listen("reward", String, lambda m: Reward(formula=m.data))
        self._listen("reward_samples", Float64MultiArray, lambda m: to_reward_samples(m, bundle))
        self._values = self.create_subscription(
            Float32, "prompt/reward_value", self._on_reward_value, PROMPT
        )
        self._lines = self.create_subscription(
            String, "prompt/skill", self._on_skill, PROMPT, raw=True
        )
        # This answer is latched before any prompt: a client can wait for it and knows that answers
        # arrive.
        self._answers.give(OK, f"model {self._model_id[:12]} for {self._robot.name}; ready", {})

    def _listen(self, topic: str, kind: type, to_prompt: Callable[[Any], Prompt]) -> None:
        """Answers only the newest message of a topic whose messages replace each other."""
        most = most_bytes_of_samples(self._bundle) if topic == "reward_samples" else MOST_BYTES

        def on_message(content: bytes, info: dict[str, Any]) -> None:
            *superseded, (newest, since) = drain(subscription, content, info)
            self._supersede(len(superseded))
            self._handle(topic, "", since, lambda: to_prompt(read_message(newest, kind, most)))

        subscription = self.create_subscription(
            kind, f"prompt/{topic}", on_message, PROMPT, raw=True
        )

    def _supersede(self, count: int) -> None:
        for name in ("prompts", "superseded_prompts"):
            self._counts[name] += count

    def _on_reward_value(self, message: Float32, info: dict[str, Any]) -> None:
        messages = drain(self._values, message, info)
        self._counts["prompts"] += len(messages) - 1

        def accumulate() -> Prompt:
            features = assemble(self._bundle.encoder_fields, self._states.state())
            for value, _ in messages:
                samples = self._feedback.add(self._now(), features, value.data)
            return samples

        self._handle("reward_value", "", messages[-1][1], accumulate)

    def _on_skill(self, content: bytes, info: dict[str, Any]) -> None:
        lines = [(as_line(one), since) for one, since in drain(self._lines, content, info)]
        for (line, since), (following, _) in itertools.pairwise([*lines, ("", 0.0)]):
            # A command refers to the prompt before it, so neither of the two is skipped.
            if is_prompt(line) and is_prompt(following):
                self._supersede(1)
            else:
                self._run_line(line, since)

    def _run_line(self, line: str | FbRosError, since: float) -> None:
        def run() -> Prompt | str:
            if isinstance(line, FbRosError):
                raise line
            done = run_skill_command(
                line,
                self._skills,
                self._inference,
                self._present,
                model_id=self._model_id,
                date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            )
            return done or parse_prompt(line)

        self._handle("skill", line if isinstance(line, str) else "", since, run)

    def _handle(
        self, topic: str, line: str, since: float, to_prompt: Callable[[], Prompt | str]
    ) -> None:
        """Answers one prompt, whatever happens.

        `line` is the prompt as the person wrote it, `since` its arrival. If `to_prompt` returns a
        text, the work is done already, and the present prompt stays in force.
        """
        self._counts["prompts"] += 1
        text = (line or topic)[:SHOWN]
        try:
            prompt = to_prompt()
            if isinstance(prompt, str):
                self._answers.give(OK, prompt, {"prompt": topic, "text": text})
                return
            text = line[:SHOWN] or text_of(prompt)
            inference = self._inference.infer(prompt, self._states.observation())
        except FbRosError as error:
            self._answers.refuse(topic, text, str(error))
        except Exception as error:
            # Nobody foresaw the error, but a robot in motion must not lose its node over a prompt.
            self._answers.refuse(topic, text, f"unexpected {error!r}; please report it")
        else:
            self._accept(topic, text, inference, since)

    def _accept(self, topic: str, text: str, inference: Inference, since: float) -> None:
        if topic != "reward_value":
            self._feedback.clear()
        self._present = inference
        self._z.go_to(inference.z)
        self._goal.ask(inference.text, self._counts["prompts"])
        seconds = time.time() - since
        self._latency.add(seconds)
        values = {"prompt": topic, "text": text, **described(inference)}
        values |= {"time_ms": f"{seconds * 1e3:.2f}", "state_stamp": self._states.stamp()}
        if topic == "reward_value":
            values["window_s"] = f"{self._feedback.seconds:g}"
        self._values_of_prompt = values
        if self._twin.ask(self._counts["prompts"], inference):
            values = {**values, "twin": "asked"}
        self._answers.accept(text, inference, values)

    def _on_twin(self, inference: Inference, answer: TwinAnswer) -> None:
        """Takes the proposal that earned most in the twin, if the prompt is still in force."""
        if inference is not self._present:
            return
        told = inference
        count = 0 if inference.proposals is None else len(inference.proposals)
        # A number outside the question would belong to another answer.
        if answer.trial and answer.trial.best < count:
            told = after_trial(inference, answer.trial)
        if told.z is not inference.z and answer.trial and answer.trial.best:
            self._counts["twin_changes"] += 1
            self._z.go_to(told.z)
        self._present = told
        values = {**self._values_of_prompt, **described(told), **twin_values(answer)}
        self._answers.accept(values["text"], told, values)

    def _change(self) -> None:
        """Takes over a parameter that a person has changed."""
        self._inference.choice = self._settings.choice
        self._feedback.seconds = self._settings.reward_window
        self._z.set_ramp(self._settings.ramp_seconds)

    def _now(self) -> float:
        return float(self.get_clock().now().nanoseconds) * 1e-9

    def _publish_diagnostics(self) -> None:
        figures = {name: f"{value:.3f}" for name, value in self._latency.figures().items()}
        values: dict[str, object] = {"model_id": self._model_id, **self._counts, **figures}
        name = f"{self.get_fully_qualified_name()}: task inference"
        level, text = self._states.status("listening for prompts")
        status = to_status(level, name, text, values, self._robot.name)
        self._diagnostics.publish(to_diagnostics(status, self.get_clock().now()))


def main() -> int:
    """Entry point of the process."""
    return run_node("task_inference_node", TaskInferenceNode)


if __name__ == "__main__":
    sys.exit(main())
