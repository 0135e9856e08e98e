"""What topics say of one instant belongs together; what they say of others does not."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from fb_ros.errors import FbRosError
from fb_ros.robot.sensor_match import SensorMatch

POSITION = np.array([0.1, 0.2, 0.3])
JOINTS = {"joint_names": ("a",), "joint_position": np.ones(1), "joint_velocity": np.zeros(1)}
PARTS: dict[str, Any] = {
    "joint_states": JOINTS,
    "tcp_pose": {"tcp_position": POSITION},
    "odom": {"base_position": POSITION},
}


@pytest.mark.parametrize("order", list(itertools.permutations(PARTS)))
def test_a_state_is_complete_in_any_order(order: tuple[str, ...]) -> None:
    match = SensorMatch(tuple(PARTS))
    *first, last = order
    assert all(match.add(topic, 7, PARTS[topic]) is None for topic in first)
    found = match.add(last, 7, PARTS[last])
    assert found is not None
    state, stamp = found
    assert stamp == 7
    assert state.joint_names == ("a",)
    np.testing.assert_array_equal(state.tcp_position, POSITION)
    np.testing.assert_array_equal(state.base_position, POSITION)


@pytest.mark.parametrize(("apart", "joined"), [(0, True), (10**7, True), (10**7 + 1, False)])
def test_stamps_may_differ_by_the_tolerance(apart: int, joined: bool) -> None:
    match = SensorMatch(("joint_states", "tcp_pose"), tolerance=0.01)
    match.add("tcp_pose", 10**9, PARTS["tcp_pose"])
    found = match.add("joint_states", 10**9 + apart, JOINTS)
    assert (found is not None) == joined
    if found is not None:
        assert found[1] == 10**9 + apart


def test_a_topic_that_nobody_needs_is_ignored() -> None:
    match = SensorMatch(("joint_states",))
    assert match.add("odom", 7, PARTS["odom"]) is None
    assert match.add("joint_states", 8, JOINTS) is not None


def test_ragged_joint_states_are_refused() -> None:
    with pytest.raises(FbRosError, match="1 names, 2 positions and 1 velocities"):
        SensorMatch(("joint_states",)).add_joints(7, ["a"], np.ones(2), np.zeros(1))


def test_a_joint_that_is_named_twice_is_refused() -> None:
    with pytest.raises(FbRosError, match="names a more than once"):
        SensorMatch(("joint_states",)).add_joints(7, ["a", "a"], np.ones(2), np.zeros(2))


def test_joint_states_that_come_in_parts_are_joined() -> None:
    match = SensorMatch(("joint_states",), tolerance=0.01, joints=("a", "b", "c"))
    arm = ["a", "b"], np.array([1.0, 2.0]), np.array([0.1, 0.2])
    hand = ["c"], np.array([3.0]), np.array([0.3])
    match.add_joints(0, *arm)
    for stamp in (0, 4 * 10**7):
        if stamp:
            # A new arm does not go with the old hand.
            assert match.add_joints(stamp, *arm) is None
        found = match.add_joints(stamp + 10**6, *hand)
        assert found is not None
        state, at = found
        assert at == stamp + 10**6
        order = state.joint_indices(("a", "b", "c"))
        np.testing.assert_array_equal(state.joint_position[order], [1.0, 2.0, 3.0])
        np.testing.assert_array_equal(state.joint_velocity[order], [0.1, 0.2, 0.3])


def test_whoever_waits_hears_both_stamps_and_the_tolerance() -> None:
    match = SensorMatch(("joint_states", "tcp_pose"), tolerance=0.01)
    assert match.why_waiting() == "nothing on joint_states and tcp_pose"
    match.add("joint_states", 10**9 + 15 * 10**6, JOINTS)
    assert match.why_waiting() == "nothing on tcp_pose"
    match.add("tcp_pose", 10**9, PARTS["tcp_pose"])
    assert match.why_waiting() == (
        "tcp_pose and joint_states arrive, and their stamps of 1.000 s and 1.015 s differ by "
        "15 ms; at most 10 ms are taken"
    )
