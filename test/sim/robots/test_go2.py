"""The quadruped that is built from its figures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fb_ros.errors import FbRosError
from fb_ros.prompts.reward_formula import parse_formula
from fb_ros.robot.field import layout_slices
from sim.robots.environment import Environment
from sim.robots.go2 import JOINTS, SPEC, STANCE
from sim.robots.go2_model import FIGURES
from sim.robots.registry import make_environment
from sim.tasks.episode_seed import episode_rng
from training.agents.recipes import agent_config


@pytest.fixture(scope="module")
def go2() -> Environment:
    return make_environment("go2")


def stand(go2: Environment, steps: int) -> None:
    go2.reset(episode_rng(0, 0))
    go2.run(np.repeat(STANCE[None], steps, axis=0))


def test_it_weighs_and_bends_as_its_figures_say(go2: Environment) -> None:
    weight = sum(body["mass"] for body in FIGURES["bodies"])
    assert go2.model.body_subtreemass[1] == pytest.approx(weight)
    for joint in FIGURES["joints"]:
        np.testing.assert_allclose(go2.model.joint(joint["name"]).range, joint["range"])
        limit = joint["torque_limit"]
        np.testing.assert_allclose(go2.model.actuator(joint["name"]).forcerange, [-limit, limit])


def test_it_stands_on_its_feet_in_the_stance(go2: Environment) -> None:
    stand(go2, 100)
    state = go2.robot_state()
    up = go2.spec.feature("torso_up").encode(state)
    assert up[2] > 0.98
    assert 0.22 < go2.spec.feature("torso_height").encode(state)[0] < 0.34
    assert state.base_velocity is not None
    assert np.linalg.norm(state.base_velocity) < 0.02


def test_it_observes_the_command_before_and_at_first_what_its_servos_hold(
    go2: Environment,
) -> None:
    place = layout_slices(go2.spec.observation)["last_command"]
    go2.reset(episode_rng(0, 1))
    state = go2.robot_state()
    held = state.joint_position[state.joint_indices(JOINTS)]
    np.testing.assert_array_equal(go2.observation()[place], held)
    command = STANCE + 0.1
    go2.step(command)
    np.testing.assert_array_equal(go2.observation()[place], command)


def test_what_a_mirror_shows_is_motion_of_the_robot_itself(go2: Environment) -> None:
    go2.reset(episode_rng(0, 2))
    start = go2.physics_state()
    noise = np.random.default_rng(0).normal(scale=0.3, size=(20, len(JOINTS)))
    actions = go2.spec.action_from_command(STANCE + noise)
    go2.set_physics_state(start)
    run = np.concatenate([start[None], go2.run(go2.spec.command_from_action(actions))])
    image, image_actions = go2.mirrored(run, actions)
    go2.set_physics_state(image[0])
    moved = go2.run(go2.spec.command_from_action(image_actions))
    # Not to the last digit: the solver stops when it is near enough.
    np.testing.assert_allclose(moved, image[1:], atol=0.01)
    again, again_actions = go2.mirrored(image, image_actions)
    np.testing.assert_allclose(again, run)
    np.testing.assert_allclose(again_actions, actions)


def test_a_push_changes_the_torso_s_speed_and_no_arm_takes_one(go2: Environment) -> None:
    stand(go2, 50)
    before = go2.physics_state()
    go2.push(np.array([0.5, 0.0, 0.0, 0.0, 0.0, 1.0]))
    change = go2.physics_state() - before
    assert change[go2.model.nq] == pytest.approx(0.5)
    assert change[go2.model.nq + 5] == pytest.approx(1.0)
    assert np.count_nonzero(change) == 2
    with pytest.raises(FbRosError, match="pushed"):
        make_environment("point_mass").push(np.zeros(6))


def test_the_shipped_list_speaks_of_what_its_models_read(root: Path) -> None:
    lines = (root / "config" / "go2_rewards.txt").read_text().splitlines()
    formulas = [line for line in lines if line and not line.startswith("#")]
    assert len(set(formulas)) == len(formulas) >= 30
    reads = agent_config("fb_aware", "locomotion").features
    features = np.random.default_rng(0).normal(size=(50, SPEC.feature_dim))
    for formula in formulas:
        assert np.ptp(parse_formula(formula, SPEC.features, reads)(features)) > 0.0, formula
