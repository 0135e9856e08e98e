"""The user's side of the topics: publishes goals and watches the robot."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PointStamped, Pose, PoseStamped
from nav_msgs.msg import Odometry
from rclpy.client import Client
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSProfile
from std_msgs.msg import String
from std_srvs.srv import Trigger

from fb_ros.errors import FbRosError
from fb_ros.nodes.claim import Claim
from fb_ros.nodes.messages import stamp_of, values_of
from fb_ros.nodes.qos import LATCHED, PROMPT
from fb_ros.prompts.prompt import GoalPoint, Reward

# A robot that already runs has to show itself within this time.
_DISCOVERY_SECONDS = 1.0

Alive = Callable[[], None]
"""Raises when a process that the client waits for has ended."""


class RobotClient(Node):
    """Blocking calls over the topics of one robot, for programs that do one thing at a time."""

    def __init__(self, namespace: str, *, frame: str, patience: float = 120.0) -> None:
        super().__init__("client", namespace=namespace)
        self._frame, self._patience = frame, patience
        self.alive: Alive = lambda: None
        """Called while waiting; may raise to end the wait."""
        self.lockstep = False
        """Prompts are asked again until the node has answered from the newest state; otherwise two
        runs could differ by which of the two messages, state or prompt, came first."""
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._poses: list[tuple[float, np.ndarray]] = []
        """Stamps (s) and positions (m) not yet read; the last one always stays."""
        self._status: DiagnosticStatus | None = None
        self._goal = self.create_publisher(PointStamped, "prompt/goal_point", PROMPT)
        self._reward = self.create_publisher(String, "prompt/reward", PROMPT)
        self._skill = self.create_publisher(String, "prompt/skill", PROMPT)
        self._reset = self.create_client(Trigger, "sim_node/reset")
        self._step = self.create_client(Trigger, "sim_node/step")
        self._policy = DiagnosticStatus()
        self._inference = DiagnosticStatus()
        # The queue is deep, so that no pose is lost while this process does something else. A
        # robot has one of the two topics: an arm publishes the pose of its tool, a mobile robot
        # that of its body.
        deep = QoSProfile(depth=100)
        self.create_subscription(
            PoseStamped, "tcp_pose", lambda m: self._on_pose(stamp_of(m), m.pose), deep
        )
        self.create_subscription(
            Odometry, "odom", lambda m: self._on_pose(stamp_of(m), m.pose.pose), deep
        )
        self.create_subscription(DiagnosticStatus, "prompt/status", self._on_status, LATCHED)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)

    def wait_for(self, done: Callable[[], bool], what: str) -> None:
        """Spins until `done`; raises after a while, or when a process it waits for has ended."""
        deadline = time.monotonic() + self._patience
        while not done():
            self.alive()
            if not rclpy.ok():
                raise KeyboardInterrupt
            if time.monotonic() > deadline:
                raise FbRosError(
                    f"waited {self._patience:g} s for {what} in {self.get_namespace()}"
                )
            try:
                self._executor.spin_once(timeout_sec=0.1)
            except ExternalShutdownException:
                raise KeyboardInterrupt from None

    def stay(self) -> None:
        """Spins until interrupted, or until a process that the client waits for has ended."""
        while True:
            self.alive()
            try:
                self._executor.spin_once(timeout_sec=0.5)
            except ExternalShutdownException:
                raise KeyboardInterrupt from None

    def require_free_namespace(self) -> None:
        """Refuses a namespace in which a simulation already runs."""
        namespace = self.get_namespace()
        taken = f"there is a sim_node in namespace {namespace} already; stop it first"
        Claim(f"sim_node {namespace}", refusal=taken).release()
        deadline = time.monotonic() + _DISCOVERY_SECONDS
        while time.monotonic() < deadline:
            if ("sim_node", namespace) in self.get_node_names_and_namespaces():
                raise FbRosError(taken)
            time.sleep(0.05)

    def wait_until_ready(self) -> None:
        """Returns when the robot reports its pose, `task_inference_node` says that it is ready,
        and everybody who listens to prompts will hear them."""
        prompts = (self._goal, self._reward, self._skill)
        self.wait_for(
            lambda: (
                bool(self._poses)
                and self._status is not None
                and all(
                    0 < self.count_subscribers(one.topic_name) <= one.get_subscription_count()
                    for one in prompts
                )
            ),
            "the robot's pose and a task_inference_node",
        )

    def publish_goal(self, goal: np.ndarray) -> DiagnosticStatus:
        """Publishes a point (m) and returns the answer of `task_inference_node`."""
        message = PointStamped()
        message.header.frame_id = self._frame
        message.point.x, message.point.y, message.point.z = (float(value) for value in goal)
        text = GoalPoint(point=tuple(float(v) for v in goal)).text
        return self.ask(lambda: self._goal.publish(message), text)

    def publish_formula(self, formula: str) -> DiagnosticStatus:
        """Publishes a reward formula and returns the answer of `task_inference_node`."""
        message = String(data=formula)
        return self.ask(lambda: self._reward.publish(message), Reward(formula=formula).text)

    def publish_skill(self, line: str) -> DiagnosticStatus:
        """Publishes a line for `prompt/skill` and returns the answer."""
        message = String(data=line)
        return self.ask(lambda: self._skill.publish(message), line)

    def ask(self, publish: Callable[[], None], text: str) -> DiagnosticStatus:
        """The answer to the prompt `text`, which `publish` sends."""
        while True:
            self._status = None
            publish()
            # The answer to an earlier prompt is latched and may come first.
            self.wait_for(
                lambda: self._status is not None and values_of(self._status).get("text") == text,
                "an answer on prompt/status",
            )
            assert self._status is not None
            values = values_of(self._status)
            if not (self.lockstep and "z" in values):
                return self._status
            # Outside lock-step there may be no pose yet to compare with.
            if float(values.get("state_stamp") or "-inf") >= self.now() - 1e-6:
                return self._status

    def reset(self) -> dict[str, Any]:
        """Puts the robot into its next initial state; returns the episode's number and time."""
        return self._call(self._reset)

    def wait_for_z(self, status: DiagnosticStatus) -> None:
        """Returns when `policy_node` has received the `z` that the answer `status` names."""
        digest = values_of(status)["z"]
        self.wait_for(
            lambda: self.policy_figures().get("z") == digest, f"policy_node to take z {digest}"
        )

    def policy_figures(self) -> dict[str, str]:
        """The newest diagnostics of `policy_node`; empty before the first."""
        return values_of(self._policy)

    def inference_figures(self) -> dict[str, str]:
        """The newest diagnostics of `task_inference_node`; empty before the first."""
        return values_of(self._inference)

    def policy_state(self) -> str:
        """The state that `policy_node` last reported."""
        return str(self._policy.message)

    def step(self) -> dict[str, Any]:
        """Advances a simulation in lock-step by one call; returns the simulation's time."""
        return self._call(self._step)

    def now(self) -> float:
        """Stamp of the newest pose, in seconds."""
        return self._poses[-1][0]

    def position(self) -> np.ndarray:
        """The newest position (m), `(3,)`."""
        return self._poses[-1][1]

    def watch(
        self, seconds: float, dt: float, start: float, show: Callable[[float, np.ndarray], None]
    ) -> np.ndarray:
        """Positions at `start + dt, start + 2 dt, …` for `seconds`, shape `(steps, 3)`.

        A lost pose is replaced by the one before; `show` gets each as it arrives.
        """
        steps = round(seconds / dt)
        positions = np.full((steps, 3), np.nan)
        seen = start
        while seen < start + seconds - dt / 2:
            self._wait_for_pose_after(seen)
            for stamp, position in self._poses:
                step = round((stamp - start) / dt) - 1
                if stamp > seen and 0 <= step < steps:
                    positions[step] = position
                    show((step + 1) * dt, position)
            seen, self._poses = self.now(), self._poses[-1:]
        lost = np.isnan(positions[:, 0])
        before = np.maximum.accumulate(np.where(lost, 0, np.arange(steps)))
        positions = positions[before]
        first = np.argmin(lost)
        positions[:first] = positions[first]
        return positions

    def _call(self, service: Client) -> dict[str, Any]:
        """Calls one of the simulation's services and reads its answer; raises if the service
        refuses."""
        self.wait_for(service.service_is_ready, f"the service {service.srv_name}")
        future = service.call_async(Trigger.Request())
        self.wait_for(future.done, service.srv_name)
        if not future.result().success:
            raise FbRosError(future.result().message)
        response: dict[str, Any] = json.loads(future.result().message)
        return response

    def _on_pose(self, stamp: int, pose: Pose) -> None:
        point = pose.position
        self._poses.append((stamp * 1e-9, np.array([point.x, point.y, point.z])))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        nodes = self.get_namespace().rstrip("/")
        for status in message.status:
            if status.name == f"{nodes}/policy_node: policy":
                self._policy = status
            elif status.name == f"{nodes}/task_inference_node: task inference":
                self._inference = status

    def _on_status(self, message: DiagnosticStatus) -> None:
        self._status = message

    def _wait_for_pose_after(self, stamp: float) -> None:
        self.wait_for(lambda: self.now() > stamp, "the robot's pose")
