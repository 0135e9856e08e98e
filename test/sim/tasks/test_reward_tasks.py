"""Rewards of stored physics against dm_control's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from dm_control import suite

from fb_ros.errors import FbRosError
from sim.robots.registry import make_environment
from sim.robots.suite_robot import SuiteRobot
from sim.tasks.episode_seed import episode_rng
from sim.tasks.reward_tasks import reward_tasks, task_names


def states_and_rewards(domain: str, task: str) -> tuple[np.ndarray, np.ndarray]:
    """Of random motion in dm_control's own environment."""
    environment: Any = suite.load(domain, task, task_kwargs={"random": 3})
    rng, states, rewards = np.random.default_rng(0), [], []
    spec = environment.action_spec()
    for _ in range(3):
        environment.reset()
        for _ in range(40):
            step = environment.step(rng.uniform(spec.minimum, spec.maximum))
            states.append(environment.physics.get_state())
            rewards.append(step.reward)
    return np.array(states), np.array(rewards)


@pytest.mark.parametrize(
    ("robot", "task"),
    [
        ("walker", "stand"),
        ("walker", "walk"),
        ("walker", "run"),
        ("cheetah", "run"),
        ("quadruped", "walk"),
        ("quadruped", "run"),
    ],
)
def test_rewards_are_dm_controls(robot: str, task: str) -> None:
    states, expected = states_and_rewards(robot, task)
    (ours,) = reward_tasks(robot, (task,))
    np.testing.assert_allclose(ours.rewards(make_environment(robot), states), expected, atol=1e-7)


@pytest.mark.parametrize("robot", ["walker", "cheetah", "quadruped"])
def test_a_step_is_dm_controls(robot: str) -> None:
    """The same physics: what the suite's environment does under the same controls."""
    environment = make_environment(robot)
    assert isinstance(environment, SuiteRobot)
    theirs: Any = suite.load(robot, "run")
    assert theirs.control_timestep() == pytest.approx(environment.spec.ctrl_dt)
    environment.reset(episode_rng(0, 0))
    theirs.reset()
    with theirs.physics.reset_context():
        theirs.physics.set_state(environment.physics_state())
    spec, rng = theirs.action_spec(), np.random.default_rng(0)
    for _ in range(20):
        share = rng.uniform(size=len(spec.minimum))
        theirs.step(spec.minimum + share * (spec.maximum - spec.minimum))
        environment.step(environment.spec.command_from_action(2.0 * share - 1.0))
    np.testing.assert_allclose(environment.physics_state(), theirs.physics.get_state(), atol=1e-6)


@pytest.mark.parametrize("robot", ["walker", "cheetah", "quadruped", "jaco"])
def test_every_reward_is_from_zero_to_one(robot: str) -> None:
    environment = make_environment(robot)
    rng = np.random.default_rng(0)
    environment.reset(episode_rng(0, 0))
    actions = rng.uniform(-1.0, 1.0, size=(60, environment.spec.act_dim))
    states = environment.run(environment.spec.command_from_action(actions))
    for task in reward_tasks(robot):
        rewards = task.rewards(environment, states)
        assert rewards.shape == (60,)
        assert np.all((rewards >= 0.0) & (rewards <= 1.0))


def test_a_momentum_to_either_side_is_rewarded_to_that_side() -> None:
    environment = make_environment("cheetah")
    states = np.zeros((2, environment.physics_size))
    # Thrown up, turning forwards and backwards.
    states[:, 1], states[0, 9 + 2], states[1, 9 + 2] = 3.0, 8.0, -8.0
    flips = [task.rewards(environment, states) for task in reward_tasks("cheetah")[-2:]]
    assert flips[0][0] > 0.9
    assert flips[0][1] == 0.0
    assert flips[1][1] > 0.9
    assert flips[1][0] == 0.0


def test_each_direction_is_rewarded_by_its_task() -> None:
    environment = make_environment("quadruped")
    names = ("walk", "walk_backward", "turn_left", "turn_right", "stay")
    states = np.tile(np.concatenate([environment.model.qpos0, np.zeros(22 + 12)]), (6, 1))
    nq = environment.model.nq
    # Of the root's velocities the first is forwards, the last a turn to the left; it lies on its
    # back at last.
    states[:4, [nq, nq + 5]] = [[0.5, 0.0], [-0.5, 0.0], [0.0, 1.0], [0.0, -1.0]]
    states[5, 3:7] = [0.0, 1.0, 0.0, 0.0]
    tasks = reward_tasks("quadruped", names)
    rewards = np.stack([task.rewards(environment, states) for task in tasks])
    np.testing.assert_allclose(np.diag(rewards), 1.0, atol=1e-9)
    np.testing.assert_array_equal(rewards.argmax(axis=1), range(5))
    np.testing.assert_array_equal(rewards[:, 5], 0.0)


def test_the_tasks_are_exorls() -> None:
    assert task_names("walker") == ("stand", "walk", "run", "flip")
    assert task_names("quadruped") == ("stand", "walk", "run", "jump")
    assert len(task_names("jaco")) == 4


@pytest.mark.parametrize(
    ("robot", "expected"), [("walker", "possible: stand"), ("point_mass", "possible: none")]
)
def test_an_unknown_task_is_refused(robot: str, expected: str) -> None:
    with pytest.raises(FbRosError, match=expected):
        reward_tasks(robot, ("juggle",))
