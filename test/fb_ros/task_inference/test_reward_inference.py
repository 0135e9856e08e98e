"""Prompts become encodings with an honest account, or a sentence that says why not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import (
    Blend,
    GoalPoint,
    GoalState,
    Reward,
    RewardSamples,
    Skill,
    Velocity,
)
from fb_ros.prompts.prompt_text import parse_prompt
from fb_ros.prompts.skills import SkillLibrary
from fb_ros.robot.field import layout_slices
from fb_ros.task_inference.asked_blocks import asked_blocks
from fb_ros.task_inference.candidates import above, baseline, candidates, mean_of_all
from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.reward_inference import RewardInference, reward_inference
from fb_ros.task_inference.skill_commands import run_skill_command
from fb_ros.task_inference.task_encoder import TaskEncoder

NEAR = "exp(-60 * norm(tcp_pos - [{}, {}, {}]))"


@pytest.fixture(scope="module")
def bundle(reaching_bundle: Path) -> Bundle:
    return load_bundle(reaching_bundle)


@pytest.fixture(scope="module")
def inference(bundle: Bundle) -> RewardInference:
    return RewardInference(bundle)


@pytest.fixture
def library(tmp_path: Path) -> SkillLibrary:
    return SkillLibrary(tmp_path)


def reward(formula: str) -> Reward:
    return Reward(formula=formula)


def likeness(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine of two encodings."""
    return float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))


def point(bundle: Bundle) -> tuple[float, ...]:
    """A point that the data cover well."""
    seen = bundle.reference_features[:, layout_slices(bundle.robot.features)["tcp_pos"]]
    return tuple(float(value) for value in np.median(seen, axis=0))


def test_a_goal_asks_only_for_what_it_speaks_of(bundle: Bundle) -> None:
    z = reward_inference(bundle, GoalPoint(point=point(bundle))).z
    asked = asked_blocks(bundle.block_features, ("tcp_pos",))
    for part, wanted in zip(np.split(z, np.cumsum(bundle.blocks)[:-1]), asked, strict=True):
        expected = len(part) ** 0.5 if wanted else 0.0
        assert np.linalg.norm(part) == pytest.approx(expected, rel=1e-4)


def test_a_goal_state_asks_for_everything(bundle: Bundle, inference: RewardInference) -> None:
    state = TaskEncoder(bundle).reference[0]
    z = inference.infer(GoalState(values=tuple(float(value) for value in state))).z
    assert np.linalg.norm(z) == pytest.approx(bundle.z_dim**0.5, rel=1e-4)


def test_a_goal_in_the_data_is_covered(inference: RewardInference, bundle: Bundle) -> None:
    seen = bundle.reference_features[:, layout_slices(bundle.robot.features)["tcp_pos"]]
    answer = inference.infer(GoalPoint(point=tuple(seen[0].tolist())))
    assert answer.figures["outside_m"] == pytest.approx(0.0, abs=1e-6)
    assert not answer.warnings


def test_a_goal_far_away_is_replaced_by_the_nearest_point(
    inference: RewardInference, bundle: Bundle
) -> None:
    seen = bundle.reference_features[:, layout_slices(bundle.robot.features)["tcp_pos"]]
    goal = (5.0, 0.0, 0.1)
    answer = inference.infer(GoalPoint(point=goal))
    distances = np.linalg.norm(seen - goal, axis=1)
    assert answer.figures["outside_m"] == pytest.approx(distances.min(), rel=1e-5)
    assert "outside the data; trying the nearest point seen" in answer.warnings[0]
    nearest = tuple(float(value) for value in seen[np.argmin(distances)])
    np.testing.assert_allclose(answer.z, inference.infer(GoalPoint(point=nearest)).z, atol=1e-5)


def test_a_huge_goal_is_replaced_by_the_nearest_point_too(inference: RewardInference) -> None:
    near, far = (inference.infer(GoalPoint(point=(x, 0.0, 0.0))) for x in (1e6, 1e300))
    assert far.figures["outside_m"] == pytest.approx(1e300)
    assert likeness(near.z, far.z) > 0.9


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_goal_that_is_not_finite_is_refused(inference: RewardInference, value: float) -> None:
    with pytest.raises(FbRosError, match="not finite"):
        inference.infer(GoalPoint(point=(0.0, value, 0.0)))


def test_prompts_of_another_length_are_refused(inference: RewardInference) -> None:
    with pytest.raises(FbRosError, match="the goal has 2 numbers, tcp_pos has 3"):
        inference.infer(GoalPoint(point=(0.0, 0.0)))
    with pytest.raises(FbRosError, match=r"the goal state has 99 numbers.*tcp_pos"):
        inference.infer(GoalState(values=(0.0,) * 99))
    with pytest.raises(FbRosError, match=r"expected .* features and a reward in each row"):
        inference.infer(RewardSamples(features=np.zeros((2, 99)), rewards=np.ones(2)))


def test_a_velocity_is_refused_where_no_feature_is_one(bundle: Bundle) -> None:
    still = dataclasses.replace(
        bundle, robot=dataclasses.replace(bundle.robot, velocity_features=())
    )
    with pytest.raises(FbRosError, match="has no velocity that a reward could speak of"):
        reward_inference(still, Velocity(linear=(1.0, 0.0, 0.0), angular=(0.0, 0.0, 0.0)))


def test_a_formula_that_peaks_at_a_point_is_nearly_that_goal(
    bundle: Bundle, inference: RewardInference
) -> None:
    goal = point(bundle)
    z = inference.infer(GoalPoint(point=goal)).z
    near = inference.infer(reward(NEAR.format(*goal))).z
    far = inference.infer(reward(NEAR.format(goal[0] + 0.15, *goal[1:]))).z
    assert likeness(z, near) > 0.8
    assert likeness(z, near) > likeness(z, far) + 0.2


def test_a_model_of_strides_is_asked_for_one_of_the_best_as_a_whole(root: Path) -> None:
    bundle = load_bundle(root / "models" / "go2")
    assert bundle.reference == "strides"
    encoder = TaskEncoder(bundle)
    z = RewardInference(bundle).infer(reward("torso_vel[0] - abs(torso_ang_vel[2])")).z
    every = np.ones(len(bundle.blocks))
    speed = bundle.reference_features[:, layout_slices(bundle.robot.features)["torso_vel"]][:, 0]
    found = [
        state
        for state in np.argsort(-speed)[:2000]
        if likeness(z, encoder.encode(encoder.reference[[state]], np.ones(1), every).z) > 0.9999
    ]
    assert len(found) == 1
    assert speed[found[0]] > np.percentile(speed, 95)


@pytest.mark.parametrize("scale", [1e-200, 1e-30, 1e-6, 1e6, 1e39, 1e200, 1e308])
def test_the_scale_of_a_reward_changes_nothing(inference: RewardInference, scale: float) -> None:
    z, scaled = (inference.infer(reward(f"{factor} * tcp_pos[0]")).z for factor in (1.0, scale))
    np.testing.assert_allclose(z, scaled, atol=1e-3)


def test_a_constant_added_to_a_reward_changes_nothing(inference: RewardInference) -> None:
    for formula in ("tcp_pos[0]", "tcp_pos[0] > 0.15"):
        z, shifted = (inference.infer(reward(text)) for text in (formula, f"({formula}) + 3"))
        np.testing.assert_allclose(z.z, shifted.z, atol=1e-2)
        difference = shifted.figures["predicted_reward"] - z.figures["predicted_reward"]
        assert difference == pytest.approx(3.0, abs=1e-2)


def test_the_account_of_a_formula_is_what_it_says(
    bundle: Bundle, inference: RewardInference
) -> None:
    x = bundle.reference_features[:, 0]
    figures = inference.infer(reward("tcp_pos[0] > 0.1")).figures
    assert figures["share"] == pytest.approx(np.mean(x > 0.1))
    assert figures["effective_states"] == pytest.approx(np.sum(x > 0.1))
    # Better than standing about as the data do, and not better than always.
    assert np.mean(x > 0.1) < figures["predicted_reward"] < 1.2


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("3", r"the reward is 3 in every reference state.*no feature"),
        ("where(tcp_pos[0] > 9, 1e308, -1e308)", "in every reference state"),
        ("tcp_pos[0] > 9", r"the reward is 0 in every.*the data cover tcp_pos from \(-0"),
        ("log(tcp_pos[0])", r"not finite in \d+ of \d+ reference states, such as tcp_pos \("),
        ("tcp_poz[0]", "did you mean tcp_pos"),
    ],
)
def test_a_formula_that_says_nothing_is_refused(
    inference: RewardInference, formula: str, message: str
) -> None:
    with pytest.raises(FbRosError, match=message):
        inference.infer(reward(formula))


def test_a_reward_at_the_edge_of_the_data_comes_with_a_warning(
    bundle: Bundle, inference: RewardInference
) -> None:
    edge = np.sort(bundle.reference_features[:, 0])[-5]
    answer = inference.infer(reward(f"tcp_pos[0] > {edge}"))
    assert "reference states carry the reward" in answer.warnings[0]


def test_the_mean_over_labelled_states_is_as_good_as_the_goal_that_they_name(
    bundle: Bundle,
) -> None:
    inference = RewardInference(bundle, choice="mean")
    state = TaskEncoder(bundle).reference[0]
    goal = inference.infer(GoalState(values=tuple(float(value) for value in state))).z
    good = inference.infer(RewardSamples(features=state[None], rewards=np.array([5.0]))).z
    bad = inference.infer(RewardSamples(features=state[None], rewards=np.array([-5.0]))).z
    np.testing.assert_allclose(good, goal, atol=1e-4)
    assert likeness(bad, goal) < 0.0


@pytest.mark.parametrize("size", [1e6, 1e39, 1e300])
def test_huge_numbers_are_refused_or_encoded_with_a_warning(
    bundle: Bundle, inference: RewardInference, size: float
) -> None:
    width = TaskEncoder(bundle).reference.shape[1]
    for values in ((size,) * width, (size,) + (0.0,) * (width - 1)):
        answer = inference.infer(GoalState(values=values))
        assert "outside the data" in answer.warnings[0]
        assert answer.figures["outside_std" if width > 3 else "outside_m"] > 1e5
    prompts = (
        RewardSamples(features=np.full((1, width), size), rewards=np.ones(1)),
        RewardSamples(features=np.zeros((2, width)), rewards=np.array([size, 1.0])),
        parse_prompt(f"reward(tcp_pos[0]) {size:g} + reward(tcp_pos[1]) 1"),
    )
    for prompt in prompts:
        try:
            z = inference.infer(prompt).z
        except FbRosError:
            continue
        for part in np.split(z, np.cumsum(bundle.blocks)[:-1]):
            assert np.linalg.norm(part) == pytest.approx(len(part) ** 0.5, rel=1e-3) or (
                not part.any()
            )


def test_a_label_outside_the_data_comes_with_a_warning(
    bundle: Bundle, inference: RewardInference
) -> None:
    state = TaskEncoder(bundle).reference[:1].copy()
    state[:, TaskEncoder(bundle).columns["tcp_pos"]] = 5.0
    answer = inference.infer(RewardSamples(features=state, rewards=np.ones(1)))
    assert "std outside the data" in answer.warnings[0]


def test_rounding_is_no_reward(inference: RewardInference) -> None:
    with pytest.raises(FbRosError, match="in every reference state"):
        inference.infer(reward("(tcp_pos[0] * 3) / 3 - tcp_pos[0] + 1"))
    with pytest.raises(FbRosError, match="in every reference state"):
        inference.infer(reward("1 + 1e-8 * tcp_pos[0]"))


def test_work_is_bounded(inference: RewardInference) -> None:
    parts = " + ".join(["reward(tcp_pos[0]) 1"] * 9)
    with pytest.raises(FbRosError, match="9 parts, 1 to 8"):
        inference.infer(parse_prompt(parts))
    nested = " + ".join([f"blend({' + '.join(['reward(tcp_pos[0]) 1'] * 3)}) 1"] * 3)
    with pytest.raises(FbRosError, match="9 parts, 1 to 8"):
        inference.infer(parse_prompt(nested))
    with pytest.raises(FbRosError, match="0 parts, 1 to 8"):
        inference.infer(Blend(parts=()))
    many = np.zeros((10_001, 99))
    with pytest.raises(FbRosError):
        inference.infer(RewardSamples(features=many, rewards=np.ones(len(many))))


def test_labels_that_say_nothing_are_refused(inference: RewardInference, bundle: Bundle) -> None:
    states = TaskEncoder(bundle).reference[:3]
    with pytest.raises(FbRosError, match="no labelled state has a reward"):
        inference.infer(RewardSamples(features=states, rewards=np.zeros(3)))
    with pytest.raises(FbRosError, match="not finite"):
        inference.infer(RewardSamples(features=states, rewards=np.array([1.0, np.nan, 0.0])))


def test_a_sparse_reward_is_encoded_from_the_states_that_carry_it() -> None:
    rewards = np.concatenate([np.full(990, 2.0), np.linspace(3.0, 4.0, 10)])
    base = baseline(rewards)
    assert base == 2.0
    np.testing.assert_allclose(above(rewards, base), np.maximum(rewards - 2.0, 0.0))
    way = mean_of_all(rewards)
    np.testing.assert_array_equal(way.states, np.arange(990, 1000))
    dense = np.linspace(-1.0, 0.0, 100)
    assert baseline(dense) == pytest.approx(-0.5)
    np.testing.assert_allclose(above(dense, -0.5), dense + 0.5)


def test_every_way_to_encode_a_sparse_reward_is_about_states_that_carry_it() -> None:
    rewards = np.zeros(10_000)
    rewards[::200] = np.linspace(0.5, 1.0, 50)
    places = np.random.default_rng(0).normal(size=(10_000, 3))
    for way in candidates(rewards, places, np.zeros(3)):
        if way.name != "softened":
            assert np.all(rewards[way.states[way.weights > 0.0]] > 0.0), way.name


def test_one_of_the_ways_is_the_good_state_that_is_nearest() -> None:
    rng = np.random.default_rng(0)
    places = rng.normal(size=(1000, 2))
    rewards = np.abs(places[:, 0])
    here = np.array([-2.0, 0.0])
    good = np.argsort(-rewards)[:30]
    nearest = good[np.argmin(np.linalg.norm(places[good] - here, axis=1))]
    ways = candidates(rewards, places, here)
    assert any(list(way.states) == [nearest] for way in ways)


def run(
    line: str,
    library: SkillLibrary,
    inference: RewardInference,
    present: Inference | None,
    model_id: str,
) -> str:
    done = run_skill_command(
        line, library, inference, present, model_id=model_id, date="2026-01-01"
    )
    assert done is not None
    return done


def test_a_skill_does_what_was_saved_and_under_another_model_only_anew(
    bundle: Bundle, library: SkillLibrary
) -> None:
    inference = RewardInference(bundle, skills=library)
    present = inference.infer(GoalPoint(point=point(bundle)))
    own, other = bundle.model_id, "0" * 64
    assert "saved as skill home: goal_point" in run("save home", library, inference, present, own)
    np.testing.assert_array_equal(inference.infer(Skill(name="home")).z, present.z)
    run("save old", library, inference, present, other)
    with pytest.raises(FbRosError, match="ask for `anew old` to encode its text, goal_point"):
        inference.infer(Skill(name="old"))
    run("anew old", library, inference, present, own)
    np.testing.assert_allclose(inference.infer(Skill(name="old")).z, present.z, atol=1e-4)
    assert "home: goal_point" in run("list", library, inference, present, own)
    run("rename home house", library, inference, present, own)
    run("delete old", library, inference, present, own)
    assert library.names() == ["house"]


def test_what_is_saved_of_skills_does_not_hang_on_them(
    bundle: Bundle, library: SkillLibrary
) -> None:
    """A blend of skills, and labelled states, can be encoded anew when the skills are gone."""
    # What is best may be another encoding from elsewhere, the mean is the same everywhere.
    inference = RewardInference(bundle, skills=library, choice="mean")
    first = inference.infer(GoalPoint(point=point(bundle)))
    own = bundle.model_id
    run("save a", library, inference, first, own)
    blend = inference.infer(parse_prompt("a 0.6 + reward(tcp_pos[0] > 0.1) 0.4"))
    run("save b", library, inference, blend, own)
    nested = inference.infer(parse_prompt("b 0.5 + a 0.5"))
    run("save c", library, inference, nested, own)
    state = TaskEncoder(bundle).reference[0]
    samples = inference.infer(RewardSamples(features=state[None], rewards=np.ones(1)))
    run("save d", library, inference, samples, own)
    run("delete a", library, inference, None, own)
    for name, expected in (("b", blend), ("c", nested), ("d", samples)):
        run(f"anew {name}", library, inference, None, own)
        np.testing.assert_allclose(library.load(name).z, expected.z, atol=1e-3)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("save", "write `save NAME`"),
        ("rename a", "write `rename OLD NEW`"),
        ("save a b", "write `save NAME`"),
        ("delete nothing", "there is no skill nothing"),
        ("save ../x", "no name for a skill"),
        ("save list", "list is a command"),
        ("list all", "write `list`"),
        ("save x", "no prompt to save yet"),
    ],
)
def test_commands_about_skills_that_do_not_work_say_why(
    inference: RewardInference, library: SkillLibrary, line: str, message: str
) -> None:
    with pytest.raises(FbRosError, match=message):
        run(line, library, inference, None, "")


def test_what_is_no_command_is_a_prompt(inference: RewardInference, library: SkillLibrary) -> None:
    for line in ("goal_point(1, 2, 3)", "wave 0.5", ""):
        found = run_skill_command(line, library, inference, None, model_id="", date="")
        assert found is None


def test_a_blend_is_between_its_parts(bundle: Bundle, inference: RewardInference) -> None:
    x, y, z = point(bundle)
    parts = (GoalPoint(point=(x, y, z)), GoalPoint(point=(x + 0.1, y, z)))
    a, b = (inference.infer(part).z for part in parts)
    mixed = inference.infer(Blend(parts=((parts[0], 0.7), (parts[1], 0.3)))).z
    assert likeness(mixed, a) > likeness(mixed, b) > likeness(a, b)
    with pytest.raises(FbRosError, match="cancel each other"):
        inference.infer(Blend(parts=((parts[0], 1.0), (parts[0], -1.0))))


def test_a_model_whose_blocks_read_everything_fills_in_what_a_goal_leaves_open(
    bundle: Bundle,
) -> None:
    """Where no block reads the goal alone, the rest is what it is near the goal."""
    joint = dataclasses.replace(
        bundle, block_features=(bundle.encoder_features,) * len(bundle.blocks)
    )
    z = RewardInference(joint).infer(GoalPoint(point=point(bundle))).z
    assert np.linalg.norm(z) == pytest.approx(bundle.z_dim**0.5, rel=1e-4)
