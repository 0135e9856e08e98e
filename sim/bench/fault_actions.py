"""How each fault is made, and how it is ended.

A function that begins a fault gets the bench and the number of the injection; one that ends a
fault gets the bench.
"""

from __future__ import annotations

import signal
from collections.abc import Callable

import numpy as np
from lifecycle_msgs.msg import Transition

from sim.bench.bench_robot import Wires
from sim.bench.fault_bench import FaultBench


def set_wires(**changes: object) -> Callable[[FaultBench, int], None]:
    def begin(bench: FaultBench, number: int) -> None:
        for name, value in changes.items():
            setattr(bench.robot.wires, name, value)

    return begin


def heal_wires(bench: FaultBench) -> None:
    bench.robot.wires = Wires()


def nothing(bench: FaultBench) -> None:
    """Does nothing: the fault ends by itself."""


def make_not_finite(bench: FaultBench, number: int) -> None:
    sensors = 2 * len(bench.robot.environment.robot_state().joint_names) + 7
    bench.robot.wires.not_finite = number % sensors


def heal_limit(bench: FaultBench) -> None:
    heal_wires(bench)
    bench.robot.run(0.1)
    bench.resume()


def drop_joint(bench: FaultBench, number: int) -> None:
    joints = bench.bundle.robot.action_joints
    bench.robot.wires.missing = joints[number % len(joints)]


def jump(seconds: float) -> Callable[[FaultBench, int], None]:
    def begin(bench: FaultBench, number: int) -> None:
        bench.robot.clock_s += seconds

    return begin


def jump_and_silence(bench: FaultBench, number: int) -> None:
    bench.robot.clock_s -= 10.0
    bench.robot.wires.silent = True


def foreign_z(bench: FaultBench, number: int) -> None:
    bench.publish_z(np.ones(bench.bundle.z_dim), "0" * 64)


def wrong_z(bench: FaultBench, number: int) -> None:
    z = np.ones(bench.bundle.z_dim)
    z[number % len(z)] = np.inf if number % 2 else np.nan
    bench.publish_z(z, bench.bundle.model_id)


def policy_fault(text: str) -> Callable[[FaultBench, int], None]:
    return lambda bench, number: bench.policy_fault(text)


def heal_policy(bench: FaultBench) -> None:
    bench.policy_fault("")
    # The policy halts after five failures in a row.
    bench.robot.run(0.2)
    bench.resume()


def send_signal(name: str, number: signal.Signals) -> Callable[[FaultBench, int], None]:
    return lambda bench, _: bench.processes.send(name, number)


def let_continue(bench: FaultBench) -> None:
    bench.processes.send("task_inference_node", signal.SIGCONT)


def kill(name: str, number: signal.Signals) -> Callable[[FaultBench, int], None]:
    def begin(bench: FaultBench, _: int) -> None:
        bench.processes.end(name, number)

    return begin


def restart_policy(bench: FaultBench) -> None:
    bench.processes.start("policy_node")


def collect_parent_and_restart_policy(bench: FaultBench) -> None:
    bench.collect_parent()
    restart_policy(bench)


def restart_inference(bench: FaultBench) -> None:
    bench.processes.start("task_inference_node")
    bench.answers.clear()
    bench.ask()


def deactivate(bench: FaultBench, number: int) -> None:
    bench.change_state(Transition.TRANSITION_DEACTIVATE, wait=False)


def activate(bench: FaultBench) -> None:
    bench.change_state(Transition.TRANSITION_ACTIVATE)


def full_disk(bench: FaultBench, number: int) -> None:
    bench.fill_disk(full=True)
    bench.save_skill()
