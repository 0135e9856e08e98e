"""What can go wrong between a robot and its controller, and how each fault is made."""

from __future__ import annotations

import dataclasses
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

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

from fb_ros.bundle import Bundle, load_bundle
from fb_ros.control_settings import ControlSettings
from fb_ros.nodes.messages import to_array_message, values_of
from fb_ros.nodes.qos import LATCHED, PROMPT
from fb_ros.paths import find_bundle
from sim.bench_robot import DRIVE_TIMEOUT, BenchRobot, Wires
from sim.registry import make_environment
from sim.robot_processes import RobotProcesses

Expected = Literal["stops", "goes on", "drive stops", "either"]

_BUNDLE = Path("jaco")
_NAMESPACE = "bench"
_SETTINGS = ControlSettings()
# Far enough beyond joint 2's limit that it counts from every posture of the workspace.
_OFFSET = ("joint_2", 10.0)
_SENT = QoSProfile(depth=10)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong."""

    name: str
    """What happens, in a few words."""
    expected: Expected
    """What the robot is to do: be told to stand still, go on, be stopped by its own drive since
    nobody is there to tell it, or either of the first two."""
    begin: Callable[[FaultBench, int], None]
    """Makes it happen; gets the number of the injection."""
    heal: Callable[[FaultBench], None]
    """Ends it."""
    lasts: bool = True
    """Whether the robot has to stand still until the fault is ended."""
    keeps_processes: bool = True
    """Whether all processes are the same ones afterwards."""
    timeout: float = 0.0
    """Seconds that it may last before it counts as a fault."""


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
        """Publishes a goal somewhere in the workspace, and waits until it is answered."""
        spec = self.bundle.robot
        self.robot.run_until(lambda: self._goal.get_subscription_count() > 0, "the prompts' node")
        goal = self._rng.uniform(spec.goal_low, spec.goal_high)
        message = PointStamped()
        message.header.frame_id = spec.frame
        message.point.x, message.point.y, message.point.z = goal.tolist()
        before, asked = len(self.answers), -np.inf

        def answered() -> bool:
            nonlocal asked
            # A node that was killed is still counted as a listener for a while.
            if time.monotonic() - asked > 1.0:
                asked = time.monotonic()
                self._goal.publish(message)
            return any("goal_point" in status.message for status in self.answers[before:])

        self.robot.run_until(answered, "an answer to a goal")

    def wait_until_moving(self) -> None:
        """Returns when the newest command is one to move."""
        before = len(self.robot.commands)
        self.robot.run_until(
            lambda: len(self.robot.commands) > before and not self.robot.stands,
            "the robot to move; policy_node: " + self.state,
        )

    def policy_fault(self, text: str) -> None:
        """Gives the policy a fault, or none."""
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
        """Returns when policy_node has agreed to go on."""
        self.robot.run_until(self._resume.service_is_ready, "the service resume")

        calls = [self._resume.call_async(Trigger.Request())]

        def agreed() -> bool:
            if calls[-1].done() and not calls[-1].result().success:
                calls.append(self._resume.call_async(Trigger.Request()))
            return bool(calls[-1].done())

        self.robot.run_until(agreed, "policy_node to agree to go on")

    def change_state(self, transition: int, *, wait: bool = True) -> bool:
        """Asks policy_node for a transition of its lifecycle; whether it was made, if `wait`."""
        self.robot.run_until(self._change.service_is_ready, "the service change_state")
        request = ChangeState.Request(transition=Transition(id=transition))
        call = self._change.call_async(request)
        if wait:
            self.robot.run_until(call.done, "the transition")
            return bool(call.result().success)
        return True

    def set_parameter(self, name: str, value: object) -> str:
        """Sets a parameter of policy_node; why it was refused, or nothing."""
        client = self.robot.create_client(SetParameters, "policy_node/set_parameters")
        self.robot.run_until(client.service_is_ready, "the service set_parameters")
        parameter = Parameter(name, value=value).to_parameter_msg()
        call = client.call_async(SetParameters.Request(parameters=[parameter]))
        self.robot.run_until(call.done, "the parameter")
        self.robot.destroy_client(client)
        result = call.result().results[0]
        return "" if result.successful else str(result.reason)

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
        """No process may write a byte into a file any more; or may again."""
        for name in ("policy_node", "task_inference_node"):
            limit = 0 if full else resource.RLIM_INFINITY
            hard = resource.RLIM_INFINITY
            resource.prlimit(self.processes.pid(name), resource.RLIMIT_FSIZE, (limit, hard))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"/{_NAMESPACE}/policy_node: policy":
                self.figures, self.state = values_of(status), status.message


@contextmanager
def fault_bench(*, autostart: bool = True) -> Iterator[FaultBench]:
    """The shipped arm on the bench, driven from its sensors; needs an rclpy context."""
    bundle = load_bundle(find_bundle(_BUNDLE))
    environment = make_environment(bundle.robot.name)
    options = {
        "namespace": _NAMESPACE,
        "bundle": str(bundle.path),
        "observation_source": "sensors",
        "log_level": "error",
        "autostart": str(autostart).lower(),
    }
    modules = {"sim_node": "", "policy_node": "sim.faulty_policy_node"}
    robot = BenchRobot(_NAMESPACE, environment)
    try:
        with (
            # What it saves is not the user's.
            tempfile.TemporaryDirectory() as skills,
            RobotProcesses(
                "jaco", options, modules=modules, environment={"XDG_DATA_HOME": skills}
            ) as processes,
        ):
            yield FaultBench(robot, processes, bundle)
    finally:
        robot.destroy_node()


def _wires(**changes: object) -> Callable[[FaultBench, int], None]:
    def begin(bench: FaultBench, number: int) -> None:
        for name, value in changes.items():
            setattr(bench.robot.wires, name, value)

    return begin


def _heal_wires(bench: FaultBench) -> None:
    bench.robot.wires = Wires()


def _nothing(bench: FaultBench) -> None:
    """It is over by itself."""


def _not_finite(bench: FaultBench, number: int) -> None:
    sensors = 2 * len(bench.robot.environment.robot_state().joint_names) + 7
    bench.robot.wires.not_finite = number % sensors


def _heal_limit(bench: FaultBench) -> None:
    _heal_wires(bench)
    bench.robot.run(0.1)
    bench.resume()


def _missing(bench: FaultBench, number: int) -> None:
    joints = bench.bundle.robot.action_joints
    bench.robot.wires.missing = joints[number % len(joints)]


def _jump(seconds: float) -> Callable[[FaultBench, int], None]:
    def begin(bench: FaultBench, number: int) -> None:
        bench.robot.clock_s += seconds

    return begin


def _jump_and_silence(bench: FaultBench, number: int) -> None:
    bench.robot.clock_s -= 10.0
    bench.robot.wires.silent = True


def _foreign_z(bench: FaultBench, number: int) -> None:
    bench.publish_z(np.ones(bench.bundle.z_dim), "0" * 64)


def _wrong_z(bench: FaultBench, number: int) -> None:
    z = np.ones(bench.bundle.z_dim)
    z[number % len(z)] = np.inf if number % 2 else np.nan
    bench.publish_z(z, bench.bundle.model_id)


def _policy(text: str) -> Callable[[FaultBench, int], None]:
    return lambda bench, number: bench.policy_fault(text)


def _heal_policy(bench: FaultBench) -> None:
    bench.policy_fault("")
    # Five failures in a row are a halt.
    bench.robot.run(0.2)
    bench.resume()


def _signal(name: str, number: signal.Signals) -> Callable[[FaultBench, int], None]:
    return lambda bench, _: bench.processes.send(name, number)


def _continue(bench: FaultBench) -> None:
    bench.processes.send("task_inference_node", signal.SIGCONT)


def _kill(name: str, number: signal.Signals) -> Callable[[FaultBench, int], None]:
    def begin(bench: FaultBench, _: int) -> None:
        bench.processes.end(name, number)

    return begin


def _restart_policy(bench: FaultBench) -> None:
    bench.processes.start("policy_node")


def _restart_inference(bench: FaultBench) -> None:
    bench.processes.start("task_inference_node")
    bench.answers.clear()
    bench.ask()


def _deactivate(bench: FaultBench, number: int) -> None:
    bench.change_state(Transition.TRANSITION_DEACTIVATE, wait=False)


def _activate(bench: FaultBench) -> None:
    bench.change_state(Transition.TRANSITION_ACTIVATE)


def _full_disk(bench: FaultBench, number: int) -> None:
    bench.fill_disk(full=True)
    bench.save_skill()


FAULTS = (
    Fault(
        name="sensors fall silent",
        expected="stops",
        begin=_wires(silent=True),
        heal=_heal_wires,
        timeout=0.12,
    ),
    Fault(
        name="sensors are delayed by 0.3 s",
        expected="stops",
        begin=_wires(delay_s=0.3),
        heal=_heal_wires,
        timeout=0.12,
    ),
    Fault(
        name="sensors repeat their last message",
        expected="stops",
        begin=_wires(frozen=True),
        heal=_heal_wires,
        timeout=0.12,
    ),
    Fault(
        name="a sensor's number is NaN (each in turn)",
        expected="stops",
        begin=_not_finite,
        heal=_heal_wires,
    ),
    Fault(name="a joint is missing", expected="stops", begin=_missing, heal=_heal_wires),
    Fault(
        name="a joint is measured beyond its limit",
        expected="stops",
        begin=_wires(offset=_OFFSET),
        heal=_heal_limit,
        timeout=_SETTINGS.limit_timeout,
    ),
    Fault(
        name="joints come in another order",
        expected="goes on",
        begin=_wires(shuffled=True),
        heal=_heal_wires,
    ),
    Fault(
        name="an unknown joint comes along",
        expected="goes on",
        begin=_wires(extra=True),
        heal=_heal_wires,
    ),
    Fault(
        name="sensor messages come twice",
        expected="goes on",
        begin=_wires(twice=True),
        heal=_heal_wires,
    ),
    Fault(
        name="every fifth sensor message is lost",
        expected="goes on",
        begin=_wires(lost_every=5),
        heal=_heal_wires,
    ),
    Fault(
        name="two sensor messages change places",
        expected="goes on",
        begin=_wires(swapped=True),
        heal=_heal_wires,
    ),
    Fault(
        name="the clock pauses, and the robot with it",
        expected="goes on",
        begin=_wires(paused=True),
        heal=_heal_wires,
    ),
    Fault(
        name="the clock jumps ahead by 10 s", expected="either", begin=_jump(10.0), heal=_nothing
    ),
    Fault(
        name="the clock jumps back by 10 s", expected="goes on", begin=_jump(-10.0), heal=_nothing
    ),
    Fault(
        name="it jumps back, and sensors fall silent",
        expected="stops",
        begin=_jump_and_silence,
        heal=_heal_wires,
        timeout=0.12,
    ),
    Fault(
        name="a z of another model",
        expected="stops",
        begin=_foreign_z,
        heal=_nothing,
        lasts=False,
    ),
    Fault(
        name="a z that is not finite",
        expected="stops",
        begin=_wrong_z,
        heal=_nothing,
        lasts=False,
    ),
    Fault(
        name="task_inference_node hangs",
        expected="stops",
        begin=_signal("task_inference_node", signal.SIGSTOP),
        heal=_continue,
        timeout=_SETTINGS.z_timeout,
    ),
    Fault(
        name="the policy takes 0.3 s",
        expected="stops",
        begin=_policy("hang 0.3"),
        heal=_heal_policy,
        timeout=0.04,
    ),
    Fault(
        name="the policy throws",
        expected="stops",
        begin=_policy("throw"),
        heal=_heal_policy,
    ),
    Fault(
        name="the policy's command is NaN",
        expected="stops",
        begin=_policy("nan"),
        heal=_heal_policy,
    ),
    Fault(
        name="emergency stop",
        expected="stops",
        begin=lambda bench, _: bench.estop(),
        heal=FaultBench.resume,
    ),
    Fault(
        name="the service stop",
        expected="stops",
        begin=lambda bench, _: bench.stop(),
        heal=FaultBench.resume,
    ),
    Fault(
        name="policy_node is deactivated",
        expected="stops",
        begin=_deactivate,
        heal=_activate,
    ),
    Fault(
        name="the disk is full",
        expected="goes on",
        begin=_full_disk,
        heal=lambda bench: bench.fill_disk(full=False),
    ),
    Fault(
        name="policy_node gets SIGTERM",
        expected="stops",
        begin=_signal("policy_node", signal.SIGTERM),
        heal=_restart_policy,
        keeps_processes=False,
    ),
    Fault(
        name="policy_node is killed",
        expected="drive stops",
        begin=_kill("policy_node", signal.SIGKILL),
        heal=_restart_policy,
        keeps_processes=False,
        timeout=DRIVE_TIMEOUT,
    ),
    Fault(
        name="task_inference_node is killed",
        expected="stops",
        begin=_kill("task_inference_node", signal.SIGKILL),
        heal=_restart_inference,
        keeps_processes=False,
        timeout=_SETTINGS.z_timeout,
    ),
)
