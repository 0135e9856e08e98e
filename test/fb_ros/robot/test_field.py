"""Fields: every encoding, and what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field, assemble, layout_size, layout_slices, topics_of
from fb_ros.robot.robot_state import RobotState

STATE = RobotState(
    joint_names=("b", "a"),
    joint_position=np.array([0.5, 1.0]),
    joint_velocity=np.array([-1.0, 2.0]),
    tcp_position=np.array([0.1, 0.2, 0.3]),
    # A quarter turn about x takes the z axis to -y.
    tcp_orientation=np.array([np.sqrt(0.5), np.sqrt(0.5), 0.0, 0.0]),
)


def test_joints_are_matched_by_name() -> None:
    field = Field(name="q", source="joint_position", joints=("a", "b"))
    np.testing.assert_array_equal(field.encode(STATE), [1.0, 0.5])


def test_the_command_before_is_taken_whole_and_no_topic_carries_it() -> None:
    field = Field(name="sent", source="last_command", joints=("a", "b"))
    state = dataclasses.replace(STATE, last_command=np.array([7.0, 8.0]))
    np.testing.assert_array_equal(field.encode(state), [7.0, 8.0])
    assert topics_of([field]) == ("joint_states",)
    with pytest.raises(FbRosError, match="last_command, which the state does not carry"):
        field.encode(STATE)


def test_sines_come_before_cosines() -> None:
    field = Field(name="q", source="joint_position", encoding="sin_cos", joints=("a", "b"))
    expected = [np.sin(1.0), np.sin(0.5), np.cos(1.0), np.cos(0.5)]
    np.testing.assert_allclose(field.encode(STATE), expected)


def test_z_axis_is_the_third_column_of_the_rotation() -> None:
    field = Field(name="axis", source="tcp_orientation", encoding="z_axis")
    np.testing.assert_allclose(field.encode(STATE), [0.0, -1.0, 0.0], atol=1e-12)


def test_opening_is_one_at_low_and_zero_at_high() -> None:
    field = Field(
        name="o", source="joint_position", encoding="opening", joints=("a", "b"), low=0.5, high=1.0
    )
    np.testing.assert_allclose(field.encode(STATE), [0.5])


def test_a_layout_is_its_fields_one_after_the_other() -> None:
    fields = (
        Field(name="v", source="joint_velocity", joints=("b",)),
        Field(name="p", source="tcp_position"),
    )
    np.testing.assert_array_equal(assemble(fields, STATE), [-1.0, 0.1, 0.2, 0.3])
    assert layout_size(fields) == 4
    assert layout_slices(fields) == {"v": slice(0, 1), "p": slice(1, 4)}


def test_fields_take_many_states_at_once() -> None:
    stacked = RobotState(
        joint_names=("a",), joint_position=np.ones((7, 1)), joint_velocity=np.zeros((7, 1))
    )
    field = Field(name="q", source="joint_position", encoding="sin_cos", joints=("a",))
    assert field.encode(stacked).shape == (7, 2)


def test_a_missing_joint_is_named() -> None:
    field = Field(name="q", source="joint_position", joints=("elbow",))
    with pytest.raises(FbRosError, match=r"lacks elbow; it has b, a"):
        field.encode(STATE)


def test_a_missing_source_is_named() -> None:
    state = RobotState(joint_names=(), joint_position=np.zeros(0), joint_velocity=np.zeros(0))
    with pytest.raises(FbRosError, match="needs tcp_position"):
        Field(name="p", source="tcp_position").encode(state)


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "sonar"},
        {"source": "joint_position"},
        {"source": "tcp_position", "joints": ("a",)},
        {"source": "tcp_position", "encoding": "z_axis"},
        {"source": "joint_position", "joints": ("a",), "encoding": "cube"},
        {"source": "joint_position", "joints": ("a",), "encoding": "opening", "low": 2.0},
    ],
)
def test_a_field_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(FbRosError, match="field x"):
        Field(name="x", **wrong)  # type: ignore[arg-type]
