"""The list of everything that can go wrong between a robot and its controller."""

from __future__ import annotations

import signal

from fb_ros.control.control_settings import ControlSettings
from sim.bench import fault_actions as act
from sim.bench.bench_robot import DRIVE_TIMEOUT
from sim.bench.fault import Fault
from sim.bench.fault_bench import FaultBench

_SETTINGS = ControlSettings()
# So far beyond joint 2's limit that it counts in every posture of the workspace.
_OFFSET = ("joint_2", 10.0)

FAULTS = (
    Fault(
        name="sensors fall silent",
        expected="stops",
        begin=act.set_wires(silent=True),
        heal=act.heal_wires,
        timeout=0.12,
    ),
    Fault(
        name="sensors are delayed by 0.3 s",
        expected="stops",
        begin=act.set_wires(delay_s=0.3),
        heal=act.heal_wires,
        timeout=0.12,
    ),
    Fault(
        name="sensors repeat their last message",
        expected="stops",
        begin=act.set_wires(frozen=True),
        heal=act.heal_wires,
        timeout=0.12,
    ),
    Fault(
        name="a sensor's number is NaN (each in turn)",
        expected="stops",
        begin=act.make_not_finite,
        heal=act.heal_wires,
    ),
    Fault(name="a joint is missing", expected="stops", begin=act.drop_joint, heal=act.heal_wires),
    Fault(
        name="a joint is measured beyond its limit",
        expected="stops",
        begin=act.set_wires(offset=_OFFSET),
        heal=act.heal_limit,
        timeout=_SETTINGS.limit_timeout,
    ),
    Fault(
        name="joints come in another order",
        expected="goes on",
        begin=act.set_wires(shuffled=True),
        heal=act.heal_wires,
    ),
    Fault(
        name="an unknown joint comes along",
        expected="goes on",
        begin=act.set_wires(extra=True),
        heal=act.heal_wires,
    ),
    Fault(
        name="sensor messages come twice",
        expected="goes on",
        begin=act.set_wires(twice=True),
        heal=act.heal_wires,
    ),
    Fault(
        name="every fifth sensor message is lost",
        expected="goes on",
        begin=act.set_wires(lost_every=5),
        heal=act.heal_wires,
    ),
    Fault(
        name="two sensor messages change places",
        expected="goes on",
        begin=act.set_wires(swapped=True),
        heal=act.heal_wires,
    ),
    Fault(
        name="the clock pauses, and the robot with it",
        expected="goes on",
        begin=act.set_wires(paused=True),
        heal=act.heal_wires,
    ),
    Fault(
        name="the clock jumps ahead by 10 s",
        expected="either",
        begin=act.jump(10.0),
        heal=act.nothing,
    ),
    Fault(
        name="the clock jumps back by 10 s",
        expected="goes on",
        begin=act.jump(-10.0),
        heal=act.nothing,
    ),
    Fault(
        name="it jumps back, and sensors fall silent",
        expected="stops",
        begin=act.jump_and_silence,
        heal=act.heal_wires,
        timeout=0.12,
    ),
    Fault(
        name="a z of another model",
        expected="stops",
        begin=act.foreign_z,
        heal=act.nothing,
        lasts=False,
    ),
    Fault(
        name="a z that is not finite",
        expected="stops",
        begin=act.wrong_z,
        heal=act.nothing,
        lasts=False,
    ),
    Fault(
        name="task_inference_node hangs",
        expected="stops",
        begin=act.send_signal("task_inference_node", signal.SIGSTOP),
        heal=act.let_continue,
        timeout=_SETTINGS.z_timeout,
    ),
    Fault(
        name="the policy takes 0.3 s",
        expected="stops",
        begin=act.policy_fault("hang 0.3"),
        heal=act.heal_policy,
        timeout=0.04,
    ),
    Fault(
        name="the policy throws",
        expected="stops",
        begin=act.policy_fault("throw"),
        heal=act.heal_policy,
    ),
    Fault(
        name="the policy's command is NaN",
        expected="stops",
        begin=act.policy_fault("nan"),
        heal=act.heal_policy,
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
        name="a second driver is started",
        expected="goes on",
        begin=lambda bench, _: bench.start_second_driver(),
        heal=act.nothing,
    ),
    Fault(
        name="policy_node is deactivated",
        expected="stops",
        begin=act.deactivate,
        heal=act.activate,
    ),
    Fault(
        name="the disk is full",
        expected="goes on",
        begin=act.full_disk,
        heal=lambda bench: bench.fill_disk(full=False),
    ),
    Fault(
        name="policy_node gets SIGTERM",
        expected="stops",
        begin=act.send_signal("policy_node", signal.SIGTERM),
        heal=act.restart_policy,
        keeps_processes=False,
    ),
    Fault(
        name="the parent of policy_node is killed",
        expected="stops",
        prepare=FaultBench.start_with_parent,
        begin=lambda bench, _: bench.kill_parent(),
        heal=act.collect_parent_and_restart_policy,
        keeps_processes=False,
    ),
    Fault(
        name="policy_node is killed",
        expected="drive stops",
        begin=act.kill("policy_node", signal.SIGKILL),
        heal=act.restart_policy,
        keeps_processes=False,
        timeout=DRIVE_TIMEOUT,
    ),
    Fault(
        name="task_inference_node is killed",
        expected="stops",
        begin=act.kill("task_inference_node", signal.SIGKILL),
        heal=act.restart_inference,
        keeps_processes=False,
        timeout=_SETTINGS.z_timeout,
    ),
)
