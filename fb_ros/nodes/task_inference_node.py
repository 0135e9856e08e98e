"""`task_inference_node`: turns prompts into `z` and answers every one of them."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PointStamped, TwistStamped
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.timer import Timer
from std_msgs.msg import Float32, Float64MultiArray, String

from fb_ros.backends.graphs import require_precision
from fb_ros.bundle.time_limit import within
from fb_ros.errors import FbRosError
from fb_ros.nodes.drain import arrived, drain
from fb_ros.nodes.latency import LatencyWindow
from fb_ros.nodes.messages import ERROR, OK, WARN, to_array_message, to_diagnostics, to_status
from fb_ros.nodes.parameters import declare_bundle, declare_number, declare_text, declare_whole
from fb_ros.nodes.prompt_messages import (
    SHOWN,
    to_goal_point,
    to_goal_state,
    to_reward_samples,
    to_velocity,
)
from fb_ros.nodes.qos import EVENTS, LATCHED, PROMPT
from fb_ros.nodes.run import run_node
from fb_ros.nodes.single_instance import SingleInstance
from fb_ros.nodes.state_watch import StateWatch
from fb_ros.paths import skills_folder
from fb_ros.prompts.feedback import FeedbackWindow
from fb_ros.prompts.prompt import Prompt, Reward
from fb_ros.prompts.prompt_text import parse_prompt
from fb_ros.prompts.skills import SkillLibrary
from fb_ros.robot.field import assemble
from fb_ros.task_inference.candidates import require_centring
from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.ramp import Ramp
from fb_ros.task_inference.reward_inference import RewardInference
from fb_ros.task_inference.skill_commands import run_skill_command
from fb_ros.task_inference.z_digest import z_digest

# policy_node stops the robot when it has not heard of a z for its z_timeout, 1 s by default.
_HEARTBEAT_SECONDS = 0.2
_WARM_UP_SECONDS = 60.0


class TaskInferenceNode(Node):
    """Publishes `z` for the newest prompt; a prompt that is refused leaves `z` as it was."""

    def __init__(self) -> None:
        super().__init__("task_inference_node")
        instance = SingleInstance(self)
        self._bundle = bundle = declare_bundle(self)
        backend = declare_text(self, "backend", "auto", "inference runtime")
        precision = declare_text(self, "precision", "fp32", "of the hidden layers: fp32 or fp16")
        ramp = declare_number(
            self, "ramp_seconds", 0.0, "seconds in which z moves to a new prompt's; 0: at once"
        )
        window = declare_number(
            self, "reward_window", 30.0, "seconds for which a reward_value is remembered"
        )
        folder = declare_text(
            self, "skills", "", "folder of the saved skills; empty: the user's data folder"
        )
        best_of = declare_whole(
            self, "best_of", 1, "ways to encode a formula, of which the best is taken"
        )
        centring = declare_text(
            self, "centring", "dense", "formulas whose mean is subtracted: dense, always or never"
        )
        self._robot, self._model_id = bundle.robot, bundle.model_id
        self._skills = SkillLibrary(Path(folder) if folder else skills_folder(self._robot.name))
        self._inference = RewardInference(
            bundle,
            backend,
            skills=self._skills,
            best_of=best_of,
            centring=require_centring(centring),
            precision=require_precision(precision),
        )
        # The first inference sets the runtime's memory up; a person should not wait for it.
        within(
            _WARM_UP_SECONDS,
            "warming up the task encoder",
            lambda: self._inference.infer(self._inference.example()),
        )
        instance.wait()
        self._ramp = Ramp(bundle.blocks, ramp)
        self._feedback = FeedbackWindow(window)
        self._present: Inference | None = None
        """The prompt in force."""
        self._states = StateWatch(self, self._robot)
        self._z = self.create_publisher(Float64MultiArray, "z", LATCHED)
        self._status = self.create_publisher(DiagnosticStatus, "prompt/status", LATCHED)
        self._diagnostics = self.create_publisher(DiagnosticArray, "/diagnostics", EVENTS)
        self._latency = LatencyWindow()
        self._counts = {"prompts": 0, "refused_prompts": 0, "superseded_prompts": 0}
        wall = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(1.0, self._publish_diagnostics, clock=wall)
        # Latched or not, whoever moves by a z wants to know that somebody still stands behind it.
        self._last_z: Float64MultiArray | None = None
        self.create_timer(_HEARTBEAT_SECONDS, self._repeat_z, clock=wall)
        self._moving: Timer = self.create_timer(self._robot.ctrl_dt, self._move)
        self._moving.cancel()

        self._listen("goal_point", PointStamped, lambda m: to_goal_point(m, bundle))
        self._listen("goal_state", Float64MultiArray, lambda m: to_goal_state(m, bundle))
        self._listen("velocity", TwistStamped, lambda m: to_velocity(m, bundle))
        self._listen("reward", String, lambda m: Reward(formula=m.data))
        self._listen("reward_samples", Float64MultiArray, lambda m: to_reward_samples(m, bundle))
        self._values = self.create_subscription(
            Float32, "prompt/reward_value", self._on_reward_value, PROMPT
        )
        self.create_subscription(String, "prompt/skill", self._on_skill, PROMPT)
        # Latched before any prompt: who asks can wait for it and knows that answers arrive.
        self._answer(OK, f"model {self._model_id[:12]} for {self._robot.name}; ready", {})

    def _listen(self, topic: str, kind: type, to_prompt: Callable[[Any], Prompt]) -> None:
        """Answers the newest message of a topic on which each replaces the one before."""

        def on_message(message: Any, info: dict[str, Any]) -> None:
            *superseded, (newest, since) = drain(subscription, message, info)
            for count in ("prompts", "superseded_prompts"):
                self._counts[count] += len(superseded)
            self._handle(topic, "", since, lambda: to_prompt(newest))

        subscription = self.create_subscription(kind, f"prompt/{topic}", on_message, PROMPT)

    def _on_reward_value(self, message: Float32, info: dict[str, Any]) -> None:
        messages = drain(self._values, message, info)
        self._counts["prompts"] += len(messages) - 1

        def accumulate() -> Prompt:
            features = assemble(self._bundle.encoder_fields, self._states.state())
            for value, _ in messages:
                samples = self._feedback.add(self._now(), features, value.data)
            return samples

        self._handle("reward_value", "", messages[-1][1], accumulate)

    def _on_skill(self, message: String, info: dict[str, Any]) -> None:
        line, since = message.data.strip(), arrived(message, info)[1]

        def run() -> Prompt | str:
            done = run_skill_command(
                line,
                self._skills,
                self._inference,
                self._present,
                model_id=self._model_id,
                date=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            )
            return done or parse_prompt(line)

        self._handle("skill", line, since, run)

    def _handle(
        self, topic: str, line: str, since: float, to_prompt: Callable[[], Prompt | str]
    ) -> None:
        """Answers one prompt, whatever becomes of it.

        `line` is how the person wrote it, `since` when it arrived. What `to_prompt` gives as text
        is done already, and leaves the present prompt in force.
        """
        self._counts["prompts"] += 1
        text = (line or topic)[:SHOWN]
        try:
            prompt = to_prompt()
            if isinstance(prompt, str):
                self._answer(OK, prompt, {"prompt": topic, "text": text})
                return
            text = (line or prompt.text)[:SHOWN]
            inference = self._inference.infer(prompt)
        except FbRosError as error:
            self._refuse(topic, text, str(error))
        except Exception as error:
            # Nobody foresaw it, but a robot in motion does not lose its node for a prompt.
            self._refuse(topic, text, f"unexpected {error!r}; please report it")
        else:
            self._accept(topic, text, inference, since)

    def _accept(self, topic: str, text: str, inference: Inference, since: float) -> None:
        if topic != "reward_value":
            self._feedback.clear()
        self._present = inference
        self._publish_z(self._ramp.go_to(inference.z, self._now()))
        if not self._ramp.arrived(self._now()):
            self._moving.reset()
        seconds = time.time() - since
        self._latency.add(seconds)
        values = {
            "prompt": topic,
            "text": text,
            "z": z_digest(inference.z),
            **{name: f"{value:.4g}" for name, value in inference.figures.items()},
            "time_ms": f"{seconds * 1e3:.2f}",
        }
        if topic == "reward_value":
            values["window_s"] = f"{self._feedback.seconds:g}"
        if inference.warnings:
            self._answer(WARN, f"{text}: {'; '.join(inference.warnings)}", values)
        else:
            self._answer(OK, f"{text} accepted", values)

    def _refuse(self, topic: str, text: str, reason: str) -> None:
        self._counts["refused_prompts"] += 1
        self._answer(ERROR, f"{text} refused: {reason}", {"prompt": topic, "text": text})

    def _answer(self, level: bytes, text: str, values: Mapping[str, object]) -> None:
        text = " ".join(text.split())
        whole = {"model_id": self._model_id, "number": self._counts["prompts"], **values}
        name = f"{self.get_fully_qualified_name()}: prompt"
        self._status.publish(to_status(level, name, text, whole, self._robot.name))
        # rclpy wants one severity for each place in the code. Throttled, since a stream of
        # prompts would fill the disk; the topic has all of them.
        if level == OK:
            self.get_logger().info(text, throttle_duration_sec=0.1)
        else:
            self.get_logger().warning(text, throttle_duration_sec=0.1)

    def _move(self) -> None:
        now = self._now()
        self._publish_z(self._ramp.at(now))
        if self._ramp.arrived(now):
            self._moving.cancel()

    def _publish_z(self, z: Any) -> None:
        self._last_z = to_array_message(z, self._model_id)
        self._z.publish(self._last_z)

    def _repeat_z(self) -> None:
        if self._last_z is not None:
            self._z.publish(self._last_z)

    def _now(self) -> float:
        return float(self.get_clock().now().nanoseconds) * 1e-9

    def _publish_diagnostics(self) -> None:
        figures = {name: f"{value:.3f}" for name, value in self._latency.figures().items()}
        values: dict[str, object] = {"model_id": self._model_id, **self._counts, **figures}
        name = f"{self.get_fully_qualified_name()}: task inference"
        status = to_status(OK, name, "listening for prompts", values, self._robot.name)
        self._diagnostics.publish(to_diagnostics(status, self.get_clock().now()))


def main() -> int:
    """Entry point of the process."""
    return run_node("task_inference_node", TaskInferenceNode)


if __name__ == "__main__":
    sys.exit(main())
