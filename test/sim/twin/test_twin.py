"""A twin starts where the robot is, and finds what does best there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.cli import main
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import GoalPoint, Reward
from fb_ros.task_inference.objective import Objective, objective_of
from fb_ros.task_inference.reward_inference import RewardInference
from fb_ros.task_inference.trial import Trial, after_trial
from sim.robots.registry import make_environment
from sim.tasks.episode_seed import episode_rng
from sim.twin.asking import ask
from sim.twin.from_sensors import physics_from_sensors
from sim.twin.twin import Twin


@pytest.fixture(scope="module")
def bundle(root: Path) -> Bundle:
    return load_bundle(root / "models" / "point_mass")


@pytest.fixture(scope="module")
def inference(bundle: Bundle) -> RewardInference:
    return RewardInference(bundle)


@pytest.fixture(scope="module")
def twin(bundle: Bundle) -> Twin:
    return Twin(bundle)


def to_the_right(bundle: Bundle) -> Objective:
    x = bundle.reference_features[:, 0]
    features = bundle.reference_features
    return objective_of(lambda states: states[:, 0], {"tcp_pos"}, features, x)


@pytest.mark.parametrize("robot", ["jaco", "point_mass", "quadruped"])
def test_a_simulation_set_to_what_the_sensors_say_goes_on_alike(robot: str) -> None:
    """The torso of the quadruped included, which moves and turns freely."""
    environment = make_environment(robot)
    environment.reset(episode_rng(0, 0))
    rng = np.random.default_rng(0)
    low, high = np.array(environment.spec.action_low), np.array(environment.spec.action_high)
    for _ in range(5):
        environment.step(rng.uniform(low, high))
    physics = physics_from_sensors(environment, environment.robot_state())
    size = environment.model.nq + environment.model.nv
    np.testing.assert_allclose(physics[:size], environment.physics_state()[:size], atol=1e-6)


def test_a_robot_whose_sensors_do_not_tell_all_has_no_twin() -> None:
    environment = make_environment("cheetah")
    environment.reset(episode_rng(0, 0))
    with pytest.raises(FbRosError, match="3 degrees of freedom of which its sensors do not tell"):
        physics_from_sensors(environment, environment.robot_state())


def test_copies_of_a_robot_move_on_their_own() -> None:
    one = make_environment("point_mass")
    one.reset(episode_rng(0, 0))
    other = one.copy()
    other.set_physics_state(one.physics_state())
    before = one.physics_state()
    other.step(np.array([0.1, 0.1]))
    np.testing.assert_array_equal(one.physics_state(), before)
    assert np.any(other.physics_state() != before)


def test_what_earns_most_is_found_and_what_it_earned_told(
    bundle: Bundle, inference: RewardInference, twin: Twin
) -> None:
    goals = [(-0.1, 0.0, 0.01), (0.2, 0.0, 0.01), (0.0, 0.1, 0.01)]
    proposals = np.stack([inference.infer(GoalPoint(point=goal)).z for goal in goals])
    environment = make_environment("point_mass")
    environment.reset(episode_rng(0, 0))
    trial = twin.try_out(environment.robot_state(), to_the_right(bundle), proposals)
    assert (trial.best, trial.tried) == (1, 3)
    assert trial.earned == pytest.approx(0.2, abs=0.03)
    assert trial.first_earned == pytest.approx(-0.1, abs=0.03)
    assert trial.seconds > 0.0


def test_a_trial_is_the_same_every_time(bundle: Bundle, twin: Twin) -> None:
    z = np.random.default_rng(0).normal(size=(4, bundle.z_dim)).astype(np.float32)
    environment = make_environment("point_mass")
    environment.reset(episode_rng(0, 1))
    state = environment.robot_state()
    first, second = (twin.try_out(state, to_the_right(bundle), z) for _ in range(2))
    assert dataclasses.replace(first, seconds=0.0) == dataclasses.replace(second, seconds=0.0)


def test_a_prompt_gets_what_the_twin_found_and_its_forecast(
    inference: RewardInference, twin: Twin
) -> None:
    environment = make_environment("point_mass")
    environment.reset(episode_rng(0, 0))
    before = environment.physics_state()
    answer = ask(inference, Reward(formula="tcp_pos[0]"), environment, twin)
    np.testing.assert_array_equal(environment.physics_state(), before)
    assert answer.proposals is not None
    assert any(np.array_equal(answer.z, proposal) for proposal in answer.proposals)
    assert answer.figures["predicted_reward"] > 0.15
    goal = ask(inference, GoalPoint(point=(0.1, 0.1, 0.01)), environment, twin)
    assert goal.proposals is None


def test_a_poor_outcome_is_said(inference: RewardInference) -> None:
    answer = inference.infer(Reward(formula="tcp_pos[0]"))
    told = after_trial(answer, Trial(best=1, earned=-0.1, share=-0.5, tried=2))
    assert answer.proposals is not None
    np.testing.assert_array_equal(told.z, answer.proposals[1])
    assert any("it will do badly: the twin saw a reward of -0.1" in text for text in told.warnings)


def test_a_twin_of_another_robot_is_refused(bundle: Bundle) -> None:
    with pytest.raises(FbRosError, match="made for another description of robot point_mass"):
        Twin(bundle, make_environment("jaco"))


def test_a_prompt_is_tried_from_the_shell_without_a_robot(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["prompt", "--dry-run", "--bundle", "point_mass", "--json"]
    assert main([*words, "--twin", "--reward", "tcp_pos[0]"]) == 0
    tried = json.loads(capsys.readouterr().out)
    assert tried["twin_tried"] > 3
    assert tried["predicted_reward"] > 0.15
    assert main([*words, "--twin", "--goal-point", "0.1", "0.1", "0.01"]) == 1
    assert "leaves nothing to try" in capsys.readouterr().err
    assert main(["prompt", "--twin", "--reward", "tcp_pos[0]"]) == 1
    assert "start the robot with twin:=true" in capsys.readouterr().err
