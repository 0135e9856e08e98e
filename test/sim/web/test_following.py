"""What the page makes of a prompt, of a state and of a stream."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fb_ros.bundle.bundle import load_bundle
from fb_ros.prompts.prompt_text import parse_prompt
from fb_ros.prompts.skills import SavedSkill, SkillLibrary
from fb_ros.robot.field import layout_slices
from fb_ros.task_inference.reward_inference import reward_inference
from sim.robots.registry import make_environment
from sim.web.asked import Asked, asked_by
from sim.web.history import History
from sim.web.leading import Leading
from sim.web.poses import Base, BodyPoses, base_in, joints_in, rotate
from sim.web.stream import Stream


def test_a_stream_passes_on_the_first_and_the_last_and_no_more_than_its_rate() -> None:
    sent: list[int] = []
    stream = Stream(sent.append, 0.05)
    for step in range(100):
        stream.add(step, 0.01 * step)
    assert sent[0] == 0
    assert len(sent) <= 21
    stream.add(100, 2.0)
    stream.add(101, 2.01)
    stream.tick(2.04)
    assert sent[-1] == 100
    stream.tick(2.06)
    assert sent[-1] == 101


def test_the_end_of_a_drag_goes_at_once_and_nothing_follows_it() -> None:
    sent: list[int] = []
    stream = Stream(sent.append, 0.05)
    stream.add(1, 0.0)
    stream.add(2, 0.001)
    stream.add(3, 0.002, final=True)
    for now in (0.01, 0.1, 1.0):
        stream.tick(now)
    assert sent == [1, 3]


def test_a_history_keeps_its_window_and_marks_what_is_not_known() -> None:
    history = History(2, seconds=10.0)
    assert all(len(column) == 1 for column in history.arrays())
    for second in range(100):
        history.add(float(second), 2.0 * second, None)
    seconds, known, unknown = history.arrays()
    np.testing.assert_array_equal(seconds, np.arange(-10.0, 1.0))
    np.testing.assert_array_equal(known, 2.0 * np.arange(89.0, 100.0))
    assert np.all(np.isnan(unknown))
    with pytest.raises(ValueError, match="expected 2"):
        history.add(0.0, 1.0)


def test_the_reward_of_a_blend_is_the_weighted_sum_of_its_parts(
    root: Path, tmp_path: Path
) -> None:
    bundle = load_bundle(root / "models" / "jaco")
    skills = SkillLibrary(tmp_path)
    z = np.ones(bundle.z_dim, dtype=np.float32)
    skills.save(
        SavedSkill(
            name="up", z=z, model_id=bundle.model_id, text="reward(tcp_pos[2])", date="today"
        )
    )
    features = bundle.reference_features[0].astype(np.float64)
    point = features[layout_slices(bundle.robot.features)["tcp_pos"]]
    text = "up 0.5 + reward(2 * tcp_pos[0]) 2 + goal_point(0.1, 0.1, 0.2) 1"
    asked = asked_by(text, bundle, skills)
    assert asked.reward(features) == pytest.approx(0.5 * point[2] + 4.0 * point[0])
    assert asked.point == (0.1, 0.1, 0.2)
    assert asked.measure is not None
    assert asked.measure.read(features) == pytest.approx(
        np.linalg.norm(point - [0.1, 0.1, 0.2]), abs=1e-6
    )
    assert asked.measure.aim == bundle.robot.goal_radius
    for nothing in ("missing", "reward(", "goal_point(", "", "reward(joint_vel[0])"):
        assert asked_by(nothing, bundle, skills) == Asked()


def test_a_velocity_is_measured_along_its_command(root: Path, tmp_path: Path) -> None:
    bundle = load_bundle(root / "models" / "point_mass")
    asked = asked_by("velocity(0.03, 0.04, 0)", bundle, SkillLibrary(tmp_path))
    features = np.zeros(bundle.robot.feature_dim)
    features[layout_slices(bundle.robot.features)["joint_vel"]] = 0.03, 0.04
    assert asked.measure is not None
    assert asked.measure.aim == pytest.approx(0.05)
    assert asked.measure.read(features) == pytest.approx(0.05)
    assert asked.measure.read(-features) == pytest.approx(-0.05)


def test_a_goal_leads_to_a_state_beside_it_which_is_most_like_it(root: Path) -> None:
    bundle = load_bundle(root / "models" / "jaco")
    leading = Leading(bundle)
    goal = np.array([0.1, 0.1, 0.2])
    z = reward_inference(bundle, parse_prompt("goal_point(0.1, 0.1, 0.2)")).z
    assert leading.state(z) is None
    leading.start()
    assert leading.wait(120.0)
    state = leading.state(z)
    assert state is not None
    part = layout_slices(bundle.robot.features)["tcp_pos"]
    there = bundle.reference_features[state].astype(np.float64)
    assert np.linalg.norm(there[part] - goal) < 0.06
    at_goal = there.copy()
    at_goal[part] = goal
    assert leading.likeness(at_goal, z) == pytest.approx(1.0, abs=0.01)
    away = there.copy()
    away[part] = -goal
    likeness = leading.likeness(away, z)
    assert likeness is not None
    assert likeness < 0.5
    assert leading.likeness(at_goal, np.zeros_like(z)) is None
    assert leading.likeness(np.full_like(at_goal, np.nan), z) is None
    leading.stop()


@pytest.mark.parametrize("robot", ["jaco", "point_mass", "quadruped", "walker", "go2"])
def test_bodies_are_drawn_where_the_simulation_has_them(robot: str) -> None:
    environment = make_environment(robot, "standing")
    environment.reset(np.random.RandomState(3))
    poses, spec = BodyPoses(environment), environment.spec
    rng = np.random.default_rng(0)
    for _ in range(20):
        environment.step(rng.uniform(spec.action_low, spec.action_high))
    state = environment.robot_state()
    joints = dict(zip(state.joint_names, state.joint_position, strict=True))
    assert not poses.missing(joints)
    base = None
    if state.base_position is not None:
        assert state.base_orientation is not None
        base = Base(position=state.base_position, orientation=state.base_orientation)
    positions, quaternions = poses.of(joints, base)
    np.testing.assert_allclose(positions, environment.data.xpos, atol=1e-6)
    likeness = np.abs(np.sum(quaternions * environment.data.xquat, axis=1))
    np.testing.assert_allclose(likeness, 1.0, atol=1e-6)


@pytest.mark.parametrize("robot", ["jaco", "quadruped", "go2"])
def test_a_reference_state_gives_back_joints_height_and_inclination(robot: str) -> None:
    environment = make_environment(robot, "standing")
    environment.reset(np.random.RandomState(5))
    spec, state = environment.spec, environment.robot_state()
    joints = joints_in(spec.features, environment.features()) | joints_in(
        spec.observation, environment.observation()
    )
    poses = BodyPoses(environment)
    assert not poses.missing(joints)
    wanted = dict(zip(state.joint_names, state.joint_position, strict=True))
    for name, value in joints.items():
        assert np.cos(value - wanted[name]) == pytest.approx(1.0)
    if state.base_position is None:
        return
    assert state.base_orientation is not None
    now = Base(position=np.array([5.0, 6.0, 7.0]), orientation=np.array([1.0, 0.0, 0.0, 0.0]))
    for placed in (True, False):
        base = base_in(spec, environment.features(), now, placed=placed)
        assert base.position[2] == pytest.approx(state.base_position[2])
        horizontal = state.base_position[:2] if placed else now.position[:2]
        np.testing.assert_allclose(base.position[:2], horizontal)
        up = np.array([[0.0, 0.0, 1.0]])
        np.testing.assert_allclose(
            rotate(base.orientation, up), rotate(state.base_orientation, up), atol=1e-9
        )
