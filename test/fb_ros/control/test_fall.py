"""A robot that has fallen, and the command before: what the controller knows by itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from fb_ros.control.control_settings import ControlSettings
from fb_ros.control.controller import Controller
from fb_ros.control.joint_reading import JointReading
from fb_ros.control.step import Observation, Order, Step
from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field
from test.fb_ros.robot.test_robot_spec import SPEC

ROBOT = dataclasses.replace(
    SPEC,
    observation=(
        Field(name="up", source="base_orientation", encoding="z_axis"),
        Field(name="sent", source="last_command", joints=("rail",)),
    ),
    action_interface="position",
    fallen_below=0.5,
)
Z = np.ones(2, dtype=np.float32)


class Bench:
    """A controller of a robot that stands, or lies."""

    def __init__(self) -> None:
        self.controller = Controller(ROBOT, model_id="m", z_dim=len(Z), settings=ControlSettings())
        self.controller.activate()
        self.now = 1.0
        self.controller.take_z(Z, "m")

    def see(self, up: float, command: float = 0.5) -> tuple[Step | None, Order | None]:
        self.now += ROBOT.ctrl_dt
        observation = Observation(
            values=np.array([0.0, 0.0, up, 99.0]),
            reading=JointReading(position=np.array([0.2]), velocity=np.zeros(1)),
            stamp=self.now,
        )
        due = self.controller.observe(observation, self.now)
        if isinstance(due, Step):
            return due, self.controller.complete(due, np.array([command]), self.now)
        return None, due


def test_the_policy_reads_what_was_sent_and_at_first_what_is_held() -> None:
    bench = Bench()
    seen = []
    for command in (0.5, 0.7, 0.1):
        step, order = bench.see(1.0, command)
        assert step is not None
        assert order is not None
        seen.append(step.observation.values[3])
    np.testing.assert_allclose(seen, [0.2, 0.5, 0.7])


def test_a_fallen_robot_is_stopped_and_stays_down_until_it_stands() -> None:
    bench = Bench()
    bench.see(1.0)
    # For a moment, as on a step, is no fall.
    bench.see(0.2)
    bench.see(0.9)
    assert not bench.controller.halted
    for _ in range(20):
        bench.see(0.2)
    assert "has fallen" in bench.controller.halted
    assert not bench.controller.moving
    assert bench.controller.resume(bench.now) == "the robot lies; set it on its feet first"
    step, _ = bench.see(1.0)
    assert step is None
    assert not bench.controller.resume(bench.now)
    step, order = bench.see(1.0)
    assert step is not None
    assert order is not None


@pytest.mark.parametrize("wrong", [2.0, -1.0])
def test_a_bound_that_no_torso_reaches_is_refused(wrong: float) -> None:
    with pytest.raises(FbRosError, match="fallen_below"):
        dataclasses.replace(ROBOT, fallen_below=wrong)


def test_a_command_before_of_other_joints_is_refused() -> None:
    other = Field(name="sent", source="last_command", joints=("rail", "mast"))
    with pytest.raises(FbRosError, match="the command before, expected the joints rail"):
        dataclasses.replace(ROBOT, observation=(ROBOT.observation[0], other))
