"""Each guard keeps its limit, and leaves alone what does not come near it."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fb_ros.control.guarded_command import GuardedCommand
from fb_ros.control.guards import (
    beyond_limits,
    smoothed,
    within_acceleration,
    within_position,
    within_range,
    within_velocity,
)
from fb_ros.control.joint_reading import JointReading
from fb_ros.control.limits import Limits, limits_of
from fb_ros.robot.robot_spec import ActionInterface, RobotSpec
from sim.robots.jaco import SPEC as JACO
from test.fb_ros.robot.test_robot_spec import SPEC

DT = 0.1
LIMITS = Limits(
    command_low=np.array([-4.0]),
    command_high=np.array([4.0]),
    position_low=np.array([-1.0]),
    position_high=np.array([1.0]),
    velocity=np.array([2.0]),
    acceleration=np.array([5.0]),
)
INTERFACES: tuple[ActionInterface, ...] = ("velocity", "position", "effort")


def one(value: float) -> np.ndarray:
    return np.array([value])


def reading(position: float = 0.0, velocity: float = 0.0) -> JointReading:
    return JointReading(position=one(position), velocity=one(velocity))


def test_smoothing_is_the_step_response_of_a_first_order_filter() -> None:
    command = one(0.0)
    for _ in range(20):
        command = smoothed(one(1.0), command, DT, 0.5)
    np.testing.assert_allclose(command, 1.0 - np.exp(-20 * DT / 0.5))
    np.testing.assert_array_equal(smoothed(one(1.0), one(0.0), DT, 0.0), [1.0])


def test_range() -> None:
    np.testing.assert_array_equal(within_range(one(9.0), LIMITS), [4.0])
    np.testing.assert_array_equal(within_range(one(-9.0), LIMITS), [-4.0])
    np.testing.assert_array_equal(within_range(one(1.5), LIMITS), [1.5])


@pytest.mark.parametrize(
    ("interface", "command", "velocity", "expected"),
    [
        ("velocity", 3.0, 0.0, 2.0),
        ("velocity", -3.0, 0.0, -2.0),
        ("velocity", 1.0, 0.0, 1.0),
        # 2 rad/s for 0.1 s, from the command before at 0.5.
        ("position", 0.9, 0.0, 0.7),
        ("position", 0.6, 0.0, 0.6),
        # A joint that is too fast is not pushed on, but may be braked.
        ("effort", 3.0, 2.5, 0.0),
        ("effort", -3.0, 2.5, -3.0),
        ("effort", 3.0, 1.5, 3.0),
        ("effort", 3.0, np.nan, 3.0),
    ],
)
def test_velocity(
    interface: ActionInterface, command: float, velocity: float, expected: float
) -> None:
    found = within_velocity(
        one(command), one(0.5), reading(velocity=velocity), LIMITS, interface, DT
    )
    np.testing.assert_allclose(found, [expected])


@pytest.mark.parametrize(
    ("interface", "command", "expected"),
    [
        # 5 rad/s^2 for 0.1 s, from 0.5 rad/s.
        ("velocity", 2.0, 1.0),
        ("velocity", -2.0, 0.0),
        ("velocity", 0.8, 0.8),
        # From 0.5 rad at 1 rad/s: at most 1.5 rad/s and at least 0.5 rad/s for 0.1 s.
        ("position", 2.0, 0.65),
        ("position", -2.0, 0.55),
        ("effort", 2.0, 2.0),
    ],
)
def test_acceleration(interface: ActionInterface, command: float, expected: float) -> None:
    found = within_acceleration(one(command), one(0.5), one(1.0), LIMITS, interface, DT)
    np.testing.assert_allclose(found, [expected])


@pytest.mark.parametrize(
    ("interface", "command", "position", "expected"),
    [
        # 0.2 rad from the limit: it may be reached in two periods.
        ("velocity", 2.0, 0.8, 1.0),
        ("velocity", -2.0, -0.8, -1.0),
        ("velocity", -2.0, 0.8, -2.0),
        ("velocity", 2.0, 0.0, 2.0),
        ("velocity", 2.0, 1.1, 0.0),
        ("velocity", -2.0, 1.1, -2.0),
        ("velocity", 2.0, np.nan, 2.0),
        ("position", 3.0, 0.0, 1.0),
        ("position", -3.0, 0.0, -1.0),
        ("position", 0.3, 0.0, 0.3),
        ("effort", 2.0, 1.0, 0.0),
        ("effort", -2.0, 1.0, -2.0),
        ("effort", 2.0, 0.9, 2.0),
        ("effort", -2.0, -1.0, 0.0),
        ("effort", 2.0, np.nan, 2.0),
    ],
)
def test_position(
    interface: ActionInterface, command: float, position: float, expected: float
) -> None:
    found = within_position(one(command), one(0.0), reading(position), LIMITS, interface, DT)
    np.testing.assert_allclose(found, [expected])


def test_a_position_beyond_its_limit_is_left_inwards_and_without_a_jump() -> None:
    guards = GuardedCommand(bounded("position"))
    commands = [float(guards.guard(one(0.0), reading(1.3))[0][0]) for _ in range(10)]
    assert commands[0] == pytest.approx(1.3 - 5.0 * DT * DT)
    assert np.all(np.diff(commands) < 0.0)
    assert np.all(np.abs(np.diff(commands)) <= 2.0 * DT + 1e-9)
    guards.restart()
    assert guards.guard(one(9.0), reading(1.3))[0].tolist() == [1.3]


def test_a_joint_that_obeys_does_not_pass_its_limit() -> None:
    position = 0.0
    for _ in range(200):
        position += (
            DT * within_position(one(2.0), one(0.0), reading(position), LIMITS, "velocity", DT)[0]
        )
    assert 0.99 < position <= 1.0 + 1e-9


@pytest.mark.parametrize(
    ("position", "velocity", "beyond"),
    [
        (1.05, 0.0, False),
        (1.2, 0.0, True),
        (-1.2, 0.0, True),
        (0.0, 2.5, False),
        (0.0, -3.5, True),
        (np.nan, np.nan, False),
    ],
)
def test_beyond_the_limits(position: float, velocity: float, beyond: bool) -> None:
    assert beyond_limits(reading(position, velocity), LIMITS).tolist() == [beyond]


@pytest.mark.parametrize("interface", INTERFACES)
def test_without_limits_nothing_is_changed(interface: ActionInterface) -> None:
    robot = dataclasses.replace(SPEC, action_interface=interface)
    guards = GuardedCommand(robot)
    for value in (-0.5, 2.5, 0.0):
        command, changed = guards.guard(one(value), reading(5.0, 50.0))
        assert (command.tolist(), changed) == ([value], [])
    assert not any(guards.interventions.values())


def bounded(interface: ActionInterface) -> RobotSpec:
    return dataclasses.replace(
        SPEC,
        action_interface=interface,
        action_low=(-4.0,),
        action_high=(4.0,),
        joint_low=(-1.0,),
        joint_high=(1.0,),
        velocity_limit=(2.0,),
        acceleration_limit=(5.0,),
        ctrl_dt=DT,
    )


@pytest.mark.parametrize("interface", INTERFACES)
@given(
    commands=st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=20),
    start=st.floats(-0.9, 0.9),
    smoothing=st.sampled_from([0.0, 0.3]),
)
def test_nothing_that_leaves_the_guards_is_beyond_a_limit(
    interface: ActionInterface, commands: list[float], start: float, smoothing: float
) -> None:
    guards = GuardedCommand(bounded(interface), smoothing)
    position, velocity = start, 0.0
    for wanted in commands:
        before = position if interface == "position" else velocity
        command, _ = guards.guard(one(wanted), reading(position, velocity))
        value = float(command[0])
        assert np.isfinite(value)
        if interface == "velocity":
            assert abs(value) <= 2.0
            # A joint near its limit may be braked harder than its acceleration.
            assert abs(value) <= abs(before) + 0.5 + 1e-9
            velocity = value
            position += DT * velocity
        elif interface == "position":
            assert -1.0 <= value <= 1.0
            assert abs(value - before) <= 2.0 * DT + 1e-9
            velocity, position = (value - position) / DT, value
        else:
            assert abs(value) <= 4.0


def test_what_steps_in_is_counted() -> None:
    guards = GuardedCommand(bounded("velocity"))
    assert guards.guard(one(3.0), reading())[1] == ["velocity", "acceleration"]
    assert guards.guard(one(0.6), reading(0.99))[1] == ["position"]
    assert guards.interventions == {"range": 0, "velocity": 1, "acceleration": 1, "position": 1}


def test_it_starts_from_what_is_measured() -> None:
    guards = GuardedCommand(bounded("velocity"))
    assert guards.guard(one(2.0), reading(velocity=1.0))[0].tolist() == [1.5]
    guards.restart()
    assert guards.guard(one(2.0), reading(velocity=-1.0))[0].tolist() == [-0.5]
    guards = GuardedCommand(bounded("position"))
    np.testing.assert_allclose(guards.guard(one(1.0), reading(0.3))[0], [0.3 + 5.0 * DT * DT])


def test_a_robot_without_a_limit_has_an_infinite_one() -> None:
    limits = limits_of(JACO)
    endless = [JACO.action_joints[i] for i in np.flatnonzero(np.isinf(limits.position_high))]
    assert endless == ["joint_1", "joint_4", "joint_5", "joint_6"]
    assert np.all(np.isinf(limits_of(SPEC).velocity))
