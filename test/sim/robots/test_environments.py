"""What every simulated robot promises, and what is particular to each."""

from __future__ import annotations

import mujoco
import numpy as np
import pytest
from dm_control.manipulation.shared import workspaces

from fb_ros.errors import FbRosError
from fb_ros.robot.field import layout_slices
from sim.robots.coupling import servo_coupling
from sim.robots.environment import Environment
from sim.robots.jaco import WORKSPACE_HIGH, WORKSPACE_LOW
from sim.robots.registry import ROBOT_NAMES, make_environment
from sim.robots.robot_contract import RobotContract, commands
from sim.robots.start import require_start
from sim.tasks.episode_seed import episode_goal, episode_rng
from sim.tasks.resolved_rate import resolved_rate_command


@pytest.fixture(scope="module", params=ROBOT_NAMES)
def environment(request: pytest.FixtureRequest) -> Environment:
    return make_environment(request.param)


@pytest.fixture(scope="module")
def jaco() -> Environment:
    return make_environment("jaco")


class TestContract(RobotContract):
    """Every robot that ships keeps it."""


def test_goals_lie_in_the_box_and_differ(environment: Environment) -> None:
    goals = np.stack([episode_goal(environment.spec, 0, episode) for episode in range(50)])
    assert np.all(goals >= environment.spec.goal_low)
    assert np.all(goals <= environment.spec.goal_high)
    assert len(np.unique(goals, axis=0)) == 50


def test_jaco_has_dm_controls_workspace_rate_and_limits(jaco: Environment) -> None:
    assert (WORKSPACE_LOW, WORKSPACE_HIGH) == ((-0.2, -0.2, 0.02), (0.2, 0.2, 0.4))
    assert 1.0 / jaco.spec.ctrl_dt == pytest.approx(25.0)
    limits = np.array([jaco.spec.action_low, jaco.spec.action_high]).T
    np.testing.assert_allclose(limits, jaco.model.actuator_ctrlrange)
    fingers = jaco.spec.feature("finger_opening")
    for name in fingers.joints:
        joint = jaco.model.joint(f"jaco_arm/jaco_hand/{name}")
        np.testing.assert_allclose(joint.range, [fingers.low, fingers.high])


def test_jaco_starts_in_its_workspace_with_the_hand_down(jaco: Environment) -> None:
    slices = layout_slices(jaco.spec.features)
    for episode in range(10):
        jaco.reset(episode_rng(0, episode))
        features = jaco.features()
        position = features[slices["tcp_pos"]]
        # The initialiser's inverse kinematics stops at an error of a few millimetres at most.
        assert np.all(position > np.asarray(WORKSPACE_LOW) - 0.005)
        assert np.all(position < np.asarray(WORKSPACE_HIGH) + 0.005)
        np.testing.assert_allclose(features[slices["tcp_axis"]], [0, 0, -1], atol=0.02)
        assert 0.0 <= features[slices["finger_opening"]] <= 1.0
        orientation = jaco.robot_state().tcp_orientation
        assert orientation is not None
        assert abs(orientation @ workspaces.DOWN_QUATERNION) == pytest.approx(1.0, abs=1e-3)


def test_the_controller_that_knows_the_arm_reaches(jaco: Environment) -> None:
    for episode in range(3):
        jaco.reset(episode_rng(0, episode))
        goal = episode_goal(jaco.spec, 0, episode)
        for _ in range(100):
            jaco.step(resolved_rate_command(jaco, goal))
        position = jaco.robot_state().tcp_position
        assert position is not None
        assert np.linalg.norm(position - goal) < 0.02


def test_an_unknown_robot_is_refused_with_the_possible() -> None:
    with pytest.raises(FbRosError, match="possible: jaco, point_mass"):
        make_environment("yaco")


def test_servos_are_where_mujoco_has_them() -> None:
    robot = make_environment("quadruped")
    robot.reset(episode_rng(0, 0))
    for command in commands(robot, 20):
        robot.step(command)
    state, stored = robot.robot_state(), robot.physics_state()
    told = robot.robot_states(stored[None])
    mujoco.mj_forward(robot.model, robot.data)
    servos = state.joint_indices(robot.spec.action_joints)
    for ours, theirs in (
        (state.joint_position, robot.data.actuator_length),
        (state.joint_velocity, robot.data.actuator_velocity),
        (told.joint_position[0], robot.data.actuator_length),
    ):
        np.testing.assert_allclose(ours[servos], theirs, atol=1e-12)


def test_a_servo_that_no_reading_can_be_made_of_is_refused() -> None:
    model = mujoco.MjModel.from_xml_string(
        """<mujoco><worldbody><body><joint name="hinge"/><geom size="1"/><site name="tip"/></body>
        </worldbody><actuator><general name="push" site="tip"/></actuator></mujoco>"""
    )
    with pytest.raises(FbRosError, match="push drives neither"):
        servo_coupling(model, [0], [0])


@pytest.mark.parametrize("name", ["walker", "cheetah", "quadruped"])
def test_a_robot_that_is_set_down_is_on_its_feet(name: str) -> None:
    robot = make_environment(name, "standing")
    spec, starts = robot.spec, []
    for episode in range(3):
        robot.reset(episode_rng(0, episode))
        up = spec.feature("torso_up").encode(robot.robot_state())[2]
        assert up > 0.9
        assert robot.data.ncon == 0
        assert np.ptp(robot.data.qvel) == 0.0
        starts.append(robot.physics_state())
    assert len(np.unique(starts, axis=0)) == 3
    robot.reset(episode_rng(0, 0))
    np.testing.assert_array_equal(robot.physics_state(), starts[0])
    # It was raised no further than it had to be.
    vertical = 2 if name == "quadruped" else robot.model.joint("rootz").qposadr
    robot.data.qpos[vertical] -= 0.011
    mujoco.mj_forward(robot.model, robot.data)
    assert robot.data.ncon > 0


def test_a_place_to_start_that_there_is_not_is_refused() -> None:
    with pytest.raises(FbRosError, match="start is 'flying', expected one of benchmark, standing"):
        require_start("flying")
