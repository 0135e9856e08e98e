"""What can go wrong between a robot and its controller, and how each fault is made."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Callable
from typing import Literal

import numpy as np
from lifecycle_msgs.msg import Transition

from fb_ros.control.control_settings import ControlSettings
from sim.bench.bench_robot import DRIVE_TIMEOUT, Wires
from sim.bench.fault_bench import FaultBench

Expected = Literal["stops", "goes on", "drive stops", "either"]

_SETTINGS = ControlSettings()
# Far enough beyond joint 2's limit that it counts from every posture of the workspace.
_OFFSET = ("joint_2", 10.0)


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
