"""Sim-in-the-loop: real nodes over real DDS, deterministic and as fast as the machine goes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from sensor_msgs.msg import JointState

from fb_ros.errors import FbRosError
from sim.client.robot_client import RobotClient
from test.fb_ros.nodes.conftest import StartRobot, running_robot, stepped

GOALS = {
    "point_mass": [(0.1, 0.1, 0.01), (-0.15, 0.05, 0.01)],
    "jaco": [(0.1, 0.1, 0.2), (-0.1, 0.0, 0.3)],
}
STEPS = 30


def trajectory(client: RobotClient, robot: str) -> np.ndarray:
    """Joint positions and velocities after each step, under two goals."""
    step = stepped(
        client, JointState, "joint_states", lambda m: np.array([*m.position, *m.velocity])
    )
    parts = []
    for goal in GOALS[robot]:
        client.wait_for_z(client.publish_goal(np.array(goal)))
        parts.append(step(STEPS))
    return np.concatenate(parts)


@pytest.mark.parametrize("robot", list(GOALS))
def test_the_same_seed_and_prompts_give_bit_identical_trajectories(
    ros: None, root: Path, robot: str
) -> None:
    runs = []
    for _ in range(2):
        with running_robot(root, robot, lockstep="true", seed="3") as client:
            runs.append(trajectory(client, robot))
    first, second = runs
    np.testing.assert_array_equal(first, second)
    assert np.ptp(first, axis=0).max() > 0.01, "nothing moved"


def test_sensors_drive_the_robot_as_the_vector_does(ros: None, root: Path) -> None:
    runs = []
    for source in ("vector", "sensors"):
        with running_robot(root, "jaco", lockstep="true", observation_source=source) as client:
            runs.append(trajectory(client, "jaco"))
    np.testing.assert_array_equal(runs[0], runs[1])


def test_time_goes_on_across_resets(start_robot: StartRobot) -> None:
    client = start_robot(lockstep="true")
    client.wait_for_z(client.publish_goal(np.array(GOALS["point_mass"][0])))
    before = client.step()["time"]
    reset = client.reset()
    assert reset["episode"] == 1
    assert reset["time"] > before
    assert client.step()["time"] > reset["time"]


def test_by_the_wall_clock_no_step_is_ahead_of_its_time(start_robot: StartRobot) -> None:
    client = start_robot(lockstep="true", use_sim_time="false")
    # By then the first state has grown too old to be acted on.
    client.wait_for(lambda: "waiting for z for more" in client.policy_state(), "a long wait")
    client.wait_for_z(client.publish_goal(np.array(GOALS["point_mass"][0])))
    before = client.position()
    for _ in range(30):
        assert client.step()["time"] <= time.time()
    assert np.linalg.norm(client.position() - before) > 0.01, "nothing moved"


def test_a_step_without_a_controller_says_so(start_robot: StartRobot) -> None:
    client = start_robot(lockstep="true")
    with pytest.raises(FbRosError, match="has it a z"):
        client.step()
