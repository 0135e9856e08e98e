"""policy_node goes through the states of a managed node, and is silent where it should be."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from std_msgs.msg import Float64MultiArray

from fb_ros.nodes.messages import to_array_message
from sim.bench.fault_bench import FaultBench, fault_bench
from test.fb_ros.nodes.test_node_processes import POLICY, assert_one_line, run


@pytest.fixture
def bench() -> Iterator[FaultBench]:
    """The arm, and a policy_node that waits to be configured."""
    rclpy.init()
    try:
        with fault_bench(autostart=False) as bench:
            yield bench
    finally:
        rclpy.try_shutdown()


CONFIGURE, ACTIVATE = Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE
DEACTIVATE, CLEANUP = Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP
SHUTDOWN = Transition.TRANSITION_INACTIVE_SHUTDOWN


def listens(bench: FaultBench) -> bool:
    """Whether policy_node subscribes to anything of the robot's."""
    return bool(bench.robot.count_subscribers("joint_states") > 1)


def test_the_states_of_a_managed_node(bench: FaultBench) -> None:
    robot = bench.robot
    bench.ask()
    assert bench.change_state(CONFIGURE)
    # Inactive, it watches and says nothing.
    robot.run_until(lambda: bench.figures.get("state") == "inactive", "its state")
    robot.run(0.5)
    assert robot.commands == []
    assert bench.change_state(ACTIVATE)
    bench.wait_until_moving()
    assert bench.change_state(DEACTIVATE)
    # Told to stand still several times, and then nothing.
    robot.run(0.2)
    told = len(robot.commands)
    assert robot.stands
    robot.run(0.5)
    assert len(robot.commands) == told
    assert sum(not command.any() for _, command in robot.commands) >= 3
    assert bench.change_state(CLEANUP)
    robot.run_until(lambda: robot.count_publishers("commands") == 0, "commands to be given up")
    # And once more.
    assert bench.change_state(CONFIGURE)
    assert bench.change_state(ACTIVATE)
    bench.wait_until_moving()
    assert robot.wrong == []


def test_an_emergency_stop_outlasts_every_state(bench: FaultBench) -> None:
    robot = bench.robot
    bench.ask()
    bench.estop()
    for _ in range(2):
        assert bench.change_state(CONFIGURE)
        assert bench.change_state(ACTIVATE)
        robot.run_until(lambda: "emergency stop" in bench.state, "it to say why it stands")
        robot.run(0.3)
        assert not any(command.any() for _, command in robot.commands)
        assert bench.change_state(DEACTIVATE)
        assert bench.change_state(CLEANUP)
    assert bench.change_state(CONFIGURE)
    assert bench.change_state(ACTIVATE)
    robot.run(0.1)
    bench.resume()
    bench.wait_until_moving()


def test_what_can_change_when(bench: FaultBench) -> None:
    assert bench.set_parameter("backend", "abacus").startswith("there is no backend 'abacus'")
    assert bench.set_parameter("backend", "onnxruntime") == ""
    # Another robot's controller: the model is refused, and taken when that is put right.
    assert bench.set_parameter("joints", ["left", "right"]) == ""
    assert not bench.change_state(CONFIGURE)
    joints = list(bench.bundle.robot.action_joints)
    assert bench.set_parameter("joints", joints) == ""
    assert bench.set_parameter("interface_name", "velocity") == ""
    assert bench.set_parameter("control_period", 0.04) == ""
    assert bench.change_state(CONFIGURE)
    assert bench.change_state(ACTIVATE)
    reason = bench.set_parameter("backend", "auto")
    assert reason.startswith("backend cannot change while the node is configured")
    assert bench.set_parameter("smoothing", 0.1) == ""
    assert bench.set_parameter("smoothing", -1.0)
    assert "expected a finite number" in bench.set_parameter("z_timeout", "soon")
    bench.start()
    bench.robot.run_until(lambda: not bench.robot.stands, "a motion")


@pytest.mark.parametrize("state", ["unconfigured", "inactive", "active", "finalized"])
def test_sigterm_ends_it_in_every_state(bench: FaultBench, state: str) -> None:
    robot = bench.robot
    if state != "unconfigured":
        assert bench.change_state(CONFIGURE)
    if state == "active":
        assert bench.change_state(ACTIVATE)
        bench.start()
    if state == "finalized":
        assert bench.change_state(SHUTDOWN)
    robot.run_until(lambda: bench.figures.get("state") == state, "its state")
    told = len(robot.commands)
    bench.processes.send("policy_node", signal.SIGTERM)
    if state == "active":
        robot.run_until(lambda: robot.stands, "a stop command")
    assert bench.processes.end("policy_node", signal.SIGTERM) == 0
    robot.run(0.1)
    assert state == "active" or len(robot.commands) == told


def test_a_policy_that_hangs_keeps_neither_stops_nor_the_end_from_coming(
    bench: FaultBench,
) -> None:
    robot = bench.robot
    assert bench.change_state(CONFIGURE)
    assert bench.change_state(ACTIVATE)
    bench.start()
    robot.commands.clear()
    bench.policy_fault("hang 1000")
    robot.run_until(
        lambda: sum(not command.any() for _, command in robot.commands) >= 5, "five stops"
    )
    assert bench.processes.end("policy_node", signal.SIGTERM) == 1
    assert "it hangs since it was told to end" in bench.processes.log("policy_node")


def test_a_label_that_is_no_stamp_is_only_a_name(ros: None) -> None:
    node = subprocess.Popen(
        [
            sys.executable,
            "-m",
            POLICY,
            "--ros-args",
            "-r",
            "__ns:=/label",
            "-p",
            "bundle:=point_mass",
        ]
    )
    try:
        robot = rclpy.create_node("robot")
        told: list[DiagnosticArray] = []
        robot.create_subscription(DiagnosticArray, "/diagnostics", told.append, 10)
        publisher = robot.create_publisher(Float64MultiArray, "/label/observation", 1)
        while not publisher.get_subscription_count():
            rclpy.spin_once(robot, timeout_sec=0.1)
        publisher.publish(to_array_message(np.zeros(5), "9" * 400))
        told.clear()
        while len(told) < 2:
            assert node.poll() is None
            rclpy.spin_once(robot, timeout_sec=0.1)
    finally:
        node.terminate()
        assert node.wait() == 0


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        (["joints:=[left, right]"], "the robot's controller takes left, right"),
        (["interface_name:=velocity"], "the robot's controller takes velocity"),
        (["interface_name:=thought"], "expected velocity, position, effort or nothing"),
        (["control_period:=0.004"], "a control period of 0.1 s; the robot's is 0.004 s"),
        (["control_period:=-1.0"], "control_period"),
        (
            ["limits.command_high:=[1.0]"],
            "has 1 numbers, the model commands 2",
        ),
        (
            ["limits.command_high:=[1.0, 0.05]"],
            "the model may ask of root_y command high 0.1, the robot's own limit is 0.05",
        ),
        (["limits.velocity:=[true, false]"], "limits.velocity is [True, False]"),
        (["require_signature:=/nowhere/key.pem"], "the key /nowhere/key.pem is not readable"),
        (["z_timeout:=-1.0"], "z_timeout"),
        (["smoothing:=1e9"], "smoothing"),
        (["inference_timeout:=.inf"], "inference_timeout"),
        (["check_stamps:=perhaps"], "check_stamps"),
        (
            ["qos_overrides./alone/observation.subscription.reliability:=perhaps"],
            "Unexpected QoS override",
        ),
    ],
)
def test_a_wrong_parameter_ends_it_in_one_line(parameters: list[str], expected: str) -> None:
    assert_one_line(run(POLICY, "bundle:=point_mass", *parameters), expected)


def test_a_bundle_that_is_not_there_is_noticed_before_anybody_configures() -> None:
    ended = run(POLICY, "bundle:=/nowhere/at/all", "autostart:=false")
    assert_one_line(ended, "there is no bundle at /nowhere/at/all")


def test_quality_of_service_can_be_overridden() -> None:
    words = [sys.executable, "-m", POLICY, "--ros-args", "-r", "__ns:=/quality", "-p"]
    words += ["bundle:=point_mass", "-p"]
    words += ["qos_overrides./quality/commands.publisher.reliability:=best_effort"]
    rclpy.init()
    node = subprocess.Popen(words)
    try:
        watcher = rclpy.create_node("watcher")
        found: list[Any] = []
        while not found:
            assert node.poll() is None
            found = watcher.get_publishers_info_by_topic("/quality/commands")
            rclpy.spin_once(watcher, timeout_sec=0.1)
        assert found[0].qos_profile.reliability.name == "BEST_EFFORT"
    finally:
        node.terminate()
        node.wait()
        rclpy.try_shutdown()
