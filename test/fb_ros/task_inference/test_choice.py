"""What does best as the model imagines it is chosen, whatever kind of prompt asks for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from fb_ros.backends.graphs import IMAGINE
from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import Reward, RewardSamples
from fb_ros.prompts.prompt_text import parse_prompt
from fb_ros.robot.field import layout_slices
from fb_ros.robot.joint_stops import JointStops
from fb_ros.robot.possible_observation import possible_observation
from fb_ros.task_inference.candidates import candidates, good_states
from fb_ros.task_inference.choice import rank, require_choice, worth
from fb_ros.task_inference.encoded_ways import encoded_ways
from fb_ros.task_inference.imagination import Imagination, Imagined
from fb_ros.task_inference.objective import Objective, objective_of, weighted_sum
from fb_ros.task_inference.reward_inference import RewardInference
from fb_ros.task_inference.task_encoder import TaskEncoder
from fb_ros.task_inference.tasks.sample_task import likely_reward


@pytest.fixture(scope="module")
def bundle(root: Path) -> Bundle:
    return load_bundle(root / "models" / "point_mass")


@pytest.fixture(scope="module")
def inference(bundle: Bundle) -> RewardInference:
    return RewardInference(bundle)


@pytest.fixture(scope="module")
def imagination(bundle: Bundle) -> Imagination:
    return Imagination(bundle)


def objective(bundle: Bundle, sign: float = 1.0) -> Objective:
    """To be as far along x as the data go."""
    x = bundle.reference_features[:, 0]
    return objective_of(
        lambda features: sign * features[:, 0], {"tcp_pos"}, bundle.reference_features, sign * x
    )


def imagined(bundle: Bundle, inference: RewardInference, text: str) -> float:
    """The mean x to which the chosen encoding leads in the model's own dynamics."""
    z = inference.infer(parse_prompt(text)).z
    start = bundle.reference_observations[:1]
    features = Imagination(bundle).run(start, z[None], 80).features
    return float(features[40:, 0, 0].mean())


def test_the_choice_is_among_those_that_exist() -> None:
    assert require_choice("mean") == "mean"
    with pytest.raises(FbRosError, match="choice is 'maybe', expected one of best, mean"):
        require_choice("maybe")


def test_what_earns_more_is_ranked_before_what_earns_less(
    bundle: Bundle, inference: RewardInference, imagination: Imagination
) -> None:
    texts = ("goal_point(-0.2, 0, 0.01)", "goal_point(0, 0, 0.01)", "goal_point(0.2, 0, 0.01)")
    proposals = np.stack([inference.infer(parse_prompt(text)).z for text in texts])
    start = bundle.reference_observations[:2]
    for sign, expected in ((1.0, [2, 1, 0]), (-1.0, [0, 1, 2])):
        ranking = rank(
            imagination, objective(bundle, sign), proposals, start, bundle.robot.ctrl_dt
        )
        assert list(ranking.order) == expected
        assert ranking.forecast == pytest.approx(0.2, abs=0.05)


def test_more_than_the_best_of_the_data_is_worth_no_more(
    bundle: Bundle, imagination: Imagination
) -> None:
    run = np.zeros((5, 3, bundle.robot.feature_dim))
    run[:, :, 0] = [0.0, 0.2, 5.0]
    values = worth(imagination.known, objective(bundle), run)
    assert values[1] > values[0]
    assert values[1] > values[2], "it is far outside the data"


def test_the_middle_of_a_region_is_worth_more_than_its_border(
    bundle: Bundle, imagination: Imagination
) -> None:
    def inside(features: np.ndarray) -> np.ndarray:
        return (np.abs(features[:, 0]) < 0.1).astype(float)

    region = objective_of(
        inside, {"tcp_pos"}, bundle.reference_features, inside(bundle.reference_features)
    )
    run = np.zeros((20, 2, bundle.robot.feature_dim))
    run[:, :, 0] = [0.0, 0.099]
    middle, border = worth(imagination.known, region, run)
    assert middle > border + 0.2


def test_a_robot_goes_to_the_good_place_that_is_nearest(
    bundle: Bundle, inference: RewardInference
) -> None:
    """Of two that are as good, wherever it is; the mean would be between them."""
    formula = Reward(formula="abs(tcp_pos[0]) > 0.18")
    for side in (-0.15, 0.15):
        start = np.zeros(bundle.robot.obs_dim)
        start[layout_slices(bundle.robot.observation)["tcp_pos"]] = (side, 0.0, 0.01)
        answer = inference.infer(formula, start)
        features = Imagination(bundle).run(start[None], answer.z[None], 80).features
        assert np.abs(features[-1, 0, 0]) > 0.15
        assert answer.figures["predicted_share"] > 0.8


def test_rewards_labels_and_blends_lead_to_the_same_place(
    bundle: Bundle, inference: RewardInference
) -> None:
    states = bundle.reference_features
    labels = np.where(states[:100, 0] > 0.1, 1.0, -1.0)
    assert imagined(bundle, inference, "reward(tcp_pos[0] > 0.1)") > 0.1
    samples = RewardSamples(features=states[:100], rewards=labels)
    assert imagined(bundle, inference, samples.text) > 0.1
    blended = "reward(tcp_pos[0] > 0.1) 0.5 + goal_point(0.15, 0.1, 0.01) 0.5"
    assert imagined(bundle, inference, blended) > 0.1


def test_a_poor_forecast_is_said(inference: RewardInference) -> None:
    """The mass cannot keep its largest speed: the walls are near."""
    answer = inference.infer(Reward(formula="joint_vel[0]"))
    assert any("it will do badly: the model expects" in text for text in answer.warnings)
    good = inference.infer(Reward(formula="-norm(tcp_pos - [0.1, 0.1, 0.01])"))
    assert not good.warnings


def test_labels_say_nothing_of_states_that_are_far_away() -> None:
    reward = likely_reward(np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([1.0, -1.0]))
    near, middle, far = reward(np.array([[-0.2, 0.0], [0.5, 0.0], [9.0, 9.0]]))
    assert near > 0.5
    assert middle == pytest.approx(0.0, abs=1e-9)
    assert far == pytest.approx(0.0, abs=1e-9)


def test_a_blends_parts_count_by_their_weights_and_not_by_their_units(bundle: Bundle) -> None:
    x = bundle.reference_features[:, 0]
    small = objective_of(
        lambda f: 1e-3 * f[:, 0], {"tcp_pos"}, bundle.reference_features, 1e-3 * x
    )
    large = objective_of(lambda f: 1e3 * f[:, 0], {"tcp_pos"}, bundle.reference_features, 1e3 * x)
    reward = weighted_sum([small, large], [1.0, -1.0])
    np.testing.assert_allclose(reward(bundle.reference_features), 0.0, atol=1e-6)


def test_a_predicted_observation_is_made_one_that_can_be(root: Path) -> None:
    spec = load_bundle(root / "models" / "jaco_hand").robot
    wrong = np.random.default_rng(0).normal(size=(7, spec.obs_dim))
    found = possible_observation(spec)(wrong)
    slices = layout_slices(spec.observation)
    angles = found[:, slices["joint_angles"]].reshape(7, 2, 6)
    np.testing.assert_allclose(np.square(angles).sum(axis=1), 1.0)
    np.testing.assert_allclose(np.linalg.norm(found[:, slices["tcp_axis"]], axis=1), 1.0)
    fingers = found[:, slices["finger_pos"]]
    assert fingers.min() >= 0.15
    assert fingers.max() <= 1.35
    np.testing.assert_allclose(possible_observation(spec)(found), found)


def test_a_model_without_learned_dynamics_chooses_by_its_values(
    root: Path, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Bundle, "imagines", property(lambda self: False))
    answer = RewardInference(bundle).infer(Reward(formula="tcp_pos[0]"))
    assert answer.proposals is not None
    assert len(answer.proposals) > 8
    assert 0.0 < answer.figures["predicted_reward"] < 0.3
    mean = RewardInference(bundle, choice="mean").infer(Reward(formula="tcp_pos[0]"))
    assert answer.figures["predicted_reward"] >= mean.figures["predicted_reward"]


def test_what_is_imagined_is_what_the_graphs_make_of_it(
    bundle: Bundle, imagination: Imagination
) -> None:
    start, z = bundle.reference_observations[:3], np.ones((3, bundle.z_dim), dtype=np.float32)
    graph = bundle.load_graph(IMAGINE, "onnxruntime")
    following = possible_observation(bundle.robot)(graph.run({"observation": start, "z": z})[1])
    imagined = imagination.run(start, z, 1)
    np.testing.assert_allclose(imagined.last, following, atol=1e-6)
    np.testing.assert_allclose(imagined.features[0, :, :2], following[:, :2], atol=1e-6)


def test_a_good_state_is_also_asked_for_as_a_whole() -> None:
    """With what the reward leaves open, too, if it leaves anything open."""
    rng = np.random.default_rng(0)
    places = rng.normal(size=(1000, 3))
    ways = candidates(places[:, 0], places, places[0], speaks_of=np.array([0]))
    whole = [way for way in ways if way.whole]
    assert len(whole) > 4
    assert all(len(way.states) == 1 for way in whole)
    assert not any(way.whole for way in candidates(places[:, 0], places, places[0]))


def test_a_joint_goes_no_further_than_it_was_ever_seen(root: Path) -> None:
    """Only joints with limits stop; others turn for ever."""
    bundle = load_bundle(root / "models" / "jaco_hand")
    seen = bundle.reference_observations
    stops = JointStops(bundle.robot, seen)
    same = seen[:100].astype(np.float64)
    np.testing.assert_allclose(stops.stop(same), 0.0, atol=1e-6)
    np.testing.assert_allclose(same, seen[:100], atol=1e-6)
    angles = np.array([0.0, 3.0, 0.0, 0.0, 0.0, 0.0])
    wrong = np.zeros((1, bundle.robot.obs_dim))
    wrong[0, :12] = np.concatenate([np.sin(angles), np.cos(angles)])
    assert stops.stop(wrong)[0] > 0.3
    found = np.arctan2(wrong[0, :6], wrong[0, 6:12])
    np.testing.assert_allclose(found[[0, 1, 3, 4, 5]], angles[[0, 1, 3, 4, 5]], atol=1e-6)
    assert found[2] % (2.0 * np.pi) > 0.3


def test_pushing_against_a_stop_makes_a_run_worth_less(
    bundle: Bundle, imagination: Imagination, monkeypatch: pytest.MonkeyPatch
) -> None:
    z = np.random.default_rng(0).normal(size=(2, bundle.z_dim)).astype(np.float32)
    start, dt = bundle.reference_observations[:1], bundle.robot.ctrl_dt
    target = objective(bundle)
    first = rank(imagination, target, z, start, dt).order[0]
    run = imagination.run

    def pushing(observation: np.ndarray, z: np.ndarray, steps: int) -> Imagined:
        imagined = run(observation, z, steps)
        imagined.pushed[:, first] = 1.0
        return imagined

    monkeypatch.setattr(imagination, "run", pushing)
    monkeypatch.setattr("fb_ros.task_inference.choice._PUSHING", 10.0)
    assert rank(imagination, target, z, start, dt).order[0] != first


def test_what_is_not_asked_for_may_stay_as_it_is(bundle: Bundle) -> None:
    """One of the encodings is of the present state, with what is asked for changed in it."""
    encoder = TaskEncoder(bundle)
    here = encoder.reference[0].astype(np.float64)
    rewards = encoder.reference[:, 0].astype(np.float64)
    uses = ("tcp_pos",)
    without, with_present = (
        encoded_ways(bundle, encoder, rewards, uses, several=True, present=present).proposals
        for present in (None, here)
    )
    assert len(with_present) > len(without)
    kept = here.copy()
    columns = encoder.columns["tcp_pos"]
    places = encoder.reference / encoder.spread
    state = good_states(rewards, places, here / encoder.spread, columns)[0]
    kept[columns] = encoder.reference[state, columns]
    z = encoder.encode(kept[None], np.ones(1), np.ones(len(bundle.blocks))).z
    assert np.isclose(with_present, z, atol=1e-5).all(axis=1).any()
