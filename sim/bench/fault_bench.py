"""A robot on the bench with the real nodes, and every way to disturb them."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PointStamped
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile
from std_msgs.msg import Bool, Float64MultiArray, String
from std_srvs.srv import Trigger

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import to_array_message, values_of
from fb_ros.nodes.qos import LATCHED, PROMPT
from fb_ros.paths import open_bundle
from sim.bench.bench_robot import BenchRobot
from sim.client.robot_processes import RobotProcesses
from sim.robots.registry import make_environment

_BUNDLE = Path("jaco")
_NAMESPACE = "bench"
_SENT = QoSProfile(depth=10)
# Runs the command in its arguments; the first argument is the index of the one that becomes this
# process's id.
_PARENT = """
import os, subprocess, sys
place, command = int(sys.argv[1]), sys.argv[2:]
command[place] = str(os.getpid())
subprocess.run(command)
"""


class FaultBench:
    """A robot on the bench, and the real nodes that drive it in processes of their own."""

    def __init__(self, robot: BenchRobot, processes: RobotProcesses, bundle: Bundle) -> None:
        self.robot, self.processes, self.bundle = robot, processes, bundle
        self._fault = robot.create_publisher(String, "policy_node/fault", _SENT)
        self._estop = robot.create_publisher(Bool, "estop", _SENT)
        self._z = robot.create_publisher(Float64MultiArray, "z", LATCHED)
        self._goal = robot.create_publisher(PointStamped, "prompt/goal_point", PROMPT)
        self._skill = robot.create_publisher(String, "prompt/skill", PROMPT)
        self._stop = robot.create_client(Trigger, "policy_node/stop")
        self._resume = robot.create_client(Trigger, "policy_node/resume")
        self._change = robot.create_client(ChangeState, "policy_node/change_state")
        self.answers: list[DiagnosticStatus] = []
        self.figures: dict[str, str] = {}
        """The newest diagnostics of `policy_node`."""
        self.state = ""
        robot.create_subscription(DiagnosticStatus, "prompt/status", self.answers.append, LATCHED)
        robot.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 100)
        self._rng = np.random.default_rng(0)

    def start(self) -> None:
        """Returns when the robot moves."""
        self.ask()
        self.wait_until_moving()

    def ask(self) -> None:
        """Publishes a goal somewhere in the workspace, and waits for the answer."""
        spec = self.bundle.robot
        self.robot.run_until(lambda: self._goal.get_subscription_count() > 0, "the prompts' node")
        goal = self._rng.uniform(spec.goal_low, spec.goal_high)
        message = PointStamped()
        message.header.frame_id = spec.frame
        message.point.x, message.point.y, message.point.z = goal.tolist()
        before, asked = len(self.answers), -np.inf

        def answered() -> bool:
            nonlocal asked
            # A killed node still counts as a subscriber for a while.
            if time.monotonic() - asked > 1.0:
                asked = time.monotonic()
                self._goal.publish(message)
            return any("goal_point" in status.message for status in self.answers[before:])

        self.robot.run_until(answered, "an answer to a goal")

    def wait_until_moving(self) -> None:
        """Returns when the newest command makes the robot move."""
        before = len(self.robot.commands)
        self.robot.run_until(
            lambda: len(self.robot.commands) > before and not self.robot.stands,
            "the robot to move; policy_node: " + self.state,
        )

    def policy_fault(self, text: str) -> None:
        """Sets the policy's fault; an empty text clears it."""
        self.robot.run_until(lambda: self._fault.get_subscription_count() > 0, "policy_node")
        self._fault.publish(String(data=text))

    def estop(self) -> None:
        self.robot.run_until(lambda: self._estop.get_subscription_count() > 0, "policy_node")
        self._estop.publish(Bool(data=True))

    def publish_z(self, values: np.ndarray, model: str) -> None:
        self.robot.run_until(lambda: self._z.get_subscription_count() > 0, "policy_node")
        self._z.publish(to_array_message(values, model))

    def stop(self) -> None:
        """Asks for a stop; returns at once."""
        self.robot.run_until(self._stop.service_is_ready, "the service stop")
        self._stop.call_async(Trigger.Request())

    def resume(self) -> None:
        """Returns when policy_node has agreed to resume."""
        self.robot.run_until(self._resume.service_is_ready, "the service resume")

        calls = [self._resume.call_async(Trigger.Request())]

        def agreed() -> bool:
            if calls[-1].done() and not calls[-1].result().success:
                calls.append(self._resume.call_async(Trigger.Request()))
            return bool(calls[-1].done())

        self.robot.run_until(agreed, "policy_node to agree to go on")

    def change_state(self, transition: int, *, wait: bool = True) -> bool:
        """Requests a lifecycle transition of policy_node; with `wait`, returns whether it was
        made."""
        self.robot.run_until(self._change.service_is_ready, "the service change_state")
        request = ChangeState.Request(transition=Transition(id=transition))
        call = self._change.call_async(request)
        if wait:
            self.robot.run_until(call.done, "the transition")
            return bool(call.result().success)
        return True

    def set_parameter(self, name: str, value: object) -> str:
        """Sets a parameter of policy_node; returns the reason of a refusal, or an empty text."""
        client = self.robot.create_client(SetParameters, "policy_node/set_parameters")
        self.robot.run_until(client.service_is_ready, "the service set_parameters")
        parameter = Parameter(name, value=value).to_parameter_msg()
        call = client.call_async(SetParameters.Request(parameters=[parameter]))
        self.robot.run_until(call.done, "the parameter")
        self.robot.destroy_client(client)
        result = call.result().results[0]
        return "" if result.successful else str(result.reason)

    def start_second_driver(self) -> None:
        """Starts another policy_node for the same robot; raises if that one is not refused."""
        second = subprocess.Popen(
            self.processes.command("policy_node"),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            self.robot.run_until(lambda: second.poll() is not None, "a second driver to end")
        finally:
            second.kill()
            second.wait()
        if not second.returncode:
            raise FbRosError("a second driver ended with status 0, expected a refusal")

    def start_with_parent(self) -> None:
        """Restarts policy_node from a separate parent process, which can be killed."""
        self.processes.end("policy_node")
        command = self.processes.command("policy_node")
        own = command.index("--parent") + 1
        self._parent = subprocess.Popen(
            [sys.executable, "-c", _PARENT, str(own), *command], stdin=subprocess.DEVNULL
        )

    def kill_parent(self) -> None:
        """Kills the parent process of `start_with_parent`, but not policy_node."""
        # Waiting for its end would delay what is timed.
        self._parent.kill()

    def collect_parent(self) -> None:
        """Waits for the end of the parent that `kill_parent` killed."""
        self._parent.wait()

    def save_skill(self) -> DiagnosticStatus:
        """Saves the present prompt, and returns the answer."""
        self.robot.run_until(lambda: self._skill.get_subscription_count() > 0, "the prompts' node")
        before = len(self.answers)
        self._skill.publish(String(data="save bench"))
        self.robot.run_until(
            lambda: any(
                values_of(status).get("prompt") == "skill" for status in self.answers[before:]
            ),
            "an answer",
        )
        return self.answers[-1]

    def fill_disk(self, full: bool) -> None:
        """Keeps every process from writing to files while `full`; lets them write again
        otherwise."""
        for name in ("policy_node", "task_inference_node"):
            limit = 0 if full else resource.RLIM_INFINITY
            hard = resource.RLIM_INFINITY
            resource.prlimit(self.processes.pid(name), resource.RLIMIT_FSIZE, (limit, hard))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"/{_NAMESPACE}/policy_node: policy":
                self.figures, self.state = values_of(status), status.message


@contextmanager
def fault_bench(*, autostart: bool = True, params_file: str = "") -> Iterator[FaultBench]:
    """The shipped arm on the bench, controlled from its sensors; needs an rclpy context."""
    bundle = open_bundle(_BUNDLE)
    environment = make_environment(bundle.robot.name)
    options = {
        "namespace": _NAMESPACE,
        "bundle": str(bundle.path),
        "observation_source": "sensors",
        "log_level": "error",
        "autostart": str(autostart).lower(),
        "params_file": params_file,
    }
    modules = {"sim_node": "", "policy_node": "sim.bench.faulty_policy_node"}
    robot = BenchRobot(_NAMESPACE, environment)
    try:
        with (
            # Skills saved here must not mix with the user's.
            tempfile.TemporaryDirectory() as skills,
            RobotProcesses(
                "jaco", options, modules=modules, environment={"XDG_DATA_HOME": skills}
            ) as processes,
        ):
            yield FaultBench(robot, processes, bundle)
    finally:
        robot.destroy_node()
