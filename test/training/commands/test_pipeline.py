"""collect, train, export, evaluate: the second robot through the commands that people use."""

from __future__ import annotations

import copy
import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from safetensors.torch import load_file

from fb_ros.backends.graphs import (
    BEST_OF,
    CANDIDATES,
    GRAPH_FILES,
    GRAPHS,
    HALF,
    POLICY,
    TASK_ENCODER,
    VALUE,
)
from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.cli import main
from fb_ros.errors import FbRosError
from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from training.agents.agent_networks import Networks
from training.agents.losses import pessimistic
from training.agents.recipes import agent_config
from training.collecting.collect_config import CollectConfig
from training.commands.collect import collect
from training.commands.export import ExportConfig, export
from training.commands.train import train
from training.data.data import Transitions
from training.data.episode import load_episode
from training.evaluation.bundle_evaluation import evaluate
from training.evaluation.evaluate_config import EvaluateConfig
from training.networks.encoding import encode
from training.runs.train_config import TrainConfig

AGENT = agent_config(
    "fb_ar",
    "reaching",
    features=("tcp_pos", "joint_vel"),
    feature_blocks=(3, 1),
    open_shares=(0.1, 0.5),
    d=16,
    blocks=4,
    hidden=32,
    backward_hidden=16,
    fourier=4,
    batch=64,
    groups=8,
    negatives=8,
    region_share=0.2,
    reward_share=0.2,
    box_share=0.5,
)


@dataclasses.dataclass(frozen=True)
class Made:
    """What a short run leaves behind."""

    data: Path
    run: Path
    bundle: Path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("pipeline")
    made = Made(folder / "data", folder / "run", folder / "bundle")
    collect(
        CollectConfig(
            robot="point_mass", out=made.data, episodes=12, episode_steps=40, seed=5, workers=1
        )
    )
    train(
        TrainConfig(
            robot="point_mass",
            data=(made.data,),
            out=made.run,
            updates=30,
            eval_every=20,
            eval_goals=2,
            threads=1,
            agent=AGENT,
        )
    )
    export(
        ExportConfig(
            run=made.run, data=(made.data,), out=made.bundle, reference_states=100, goals=2
        )
    )
    return made


@pytest.fixture(scope="module")
def environment() -> Environment:
    return make_environment("point_mass")


@pytest.fixture(scope="module")
def networks(made: Made, environment: Environment) -> Networks:
    networks = Networks(AGENT, environment.spec)
    networks.load_state_dict(load_file(made.run / "best.safetensors"))
    return networks


@pytest.fixture(scope="module")
def bundle(made: Made) -> Bundle:
    return load_bundle(made.bundle)


def test_episodes_are_in_exorls_layout(made: Made, environment: Environment) -> None:
    paths = sorted(made.data.glob("episode_*.npz"))
    assert len(paths) == 12
    for path in paths:
        episode = load_episode(path)
        assert path.name == f"episode_{int(path.name.split('_')[1]):06d}_{episode.steps}.npz"
        assert episode.observation.shape == (episode.steps + 1, environment.spec.obs_dim)
        assert episode.action.shape == (episode.steps + 1, environment.spec.act_dim)
        assert not episode.action[0].any()
        assert np.all(np.abs(episode.action) <= 1.0)
        # Terminal where it was stopped, and there alone; point_mass never gets out of its box.
        assert np.all(episode.discount == 1.0)


def test_an_episode_that_leaves_the_box_ends_in_a_terminal_state(tmp_path: Path) -> None:
    collect(CollectConfig(robot="jaco", out=tmp_path, episodes=6, margin=0.02, workers=1))
    spec = make_environment("jaco").spec
    low, high = np.array(spec.goal_low) - 0.02, np.array(spec.goal_high) + 0.02
    left = 0
    for path in tmp_path.glob("episode_*.npz"):
        episode = load_episode(path)
        outside = np.any((episode.features[:, :3] < low) | (episode.features[:, :3] > high), 1)
        assert not outside[1:-1].any()
        assert np.all(episode.discount[:-1] == 1.0)
        assert episode.discount[-1, 0] == (0.0 if outside[-1] else 1.0)
        left += outside[-1]
    assert left > 0


def test_features_can_be_recomputed_from_the_stored_physics(
    made: Made, environment: Environment
) -> None:
    episode = load_episode(min(made.data.glob("episode_*.npz")))
    for physics, features in zip(episode.physics[::10], episode.features[::10], strict=True):
        environment.set_physics_state(physics)
        np.testing.assert_allclose(environment.features(), features, atol=1e-5)


def test_the_data_do_not_depend_on_the_number_of_workers(made: Made, tmp_path: Path) -> None:
    described = json.loads((made.data / "data.json").read_text())
    collect(
        CollectConfig(
            robot="point_mass", out=tmp_path, episodes=12, episode_steps=40, seed=5, workers=2
        )
    )
    assert json.loads((tmp_path / "data.json").read_text()) == described
    for path in made.data.glob("episode_*.npz"):
        first, second = load_episode(path), load_episode(tmp_path / path.name)
        np.testing.assert_array_equal(first.physics, second.physics)


def test_an_interrupted_collection_is_continued(made: Made, tmp_path: Path) -> None:
    config = CollectConfig(
        robot="point_mass", out=tmp_path, episodes=3, episode_steps=5, workers=1
    )
    collect(config)
    lost = min(tmp_path.glob("episode_*.npz"))
    before = load_episode(lost).physics
    lost.unlink()
    assert collect(config)["episodes"] == 1
    np.testing.assert_array_equal(load_episode(lost).physics, before)


def test_data_of_other_settings_are_not_mixed_in(made: Made) -> None:
    with pytest.raises(FbRosError, match=r"episode_steps 40 and not 100 .* choose another"):
        collect(CollectConfig(robot="point_mass", out=made.data, episodes=12, seed=6))


@pytest.mark.parametrize("reward_share", [0.0, 1.0])
def test_a_model_can_collect(made: Made, tmp_path: Path, reward_share: float) -> None:
    collect(
        CollectConfig(
            robot="point_mass",
            out=tmp_path,
            episodes=2,
            episode_steps=20,
            policy=made.bundle,
            reward_share=reward_share,
            workers=1,
        )
    )
    described = json.loads((tmp_path / "data.json").read_text())
    assert described["policy"] == load_bundle(made.bundle).model_id
    assert described["reward_share"] == reward_share


def test_rewards_to_collect_for_need_a_model(tmp_path: Path) -> None:
    with pytest.raises(FbRosError, match="reward_share goes with policy"):
        CollectConfig(robot="point_mass", out=tmp_path, reward_share=0.5)


def test_transitions_never_cross_episodes(made: Made, environment: Environment) -> None:
    data = Transitions((made.data,), environment.spec)
    episodes = [load_episode(path) for path in sorted(made.data.glob("episode_*.npz"))]
    assert len(data) == sum(episode.steps for episode in episodes)
    batch = data.sample(500, torch.Generator().manual_seed(0))
    # A mass at most 0.1 m/s fast moves 4 mm in a period; between episodes it jumps.
    moved = (batch.next_observation - batch.observation)[:, :2].abs().max()
    assert float(moved) < 0.01


def test_training_records_where_the_model_comes_from(made: Made) -> None:
    run = json.loads((made.run / "run.json").read_text())
    assert run["updates"] == 30
    assert [row["update"] for row in run["learning_curve"]] == [20, 30]
    assert len(run["data"]["fingerprint"]) == 64
    assert run["agent"]["blocks"] == 4
    assert (made.run / "curve.csv").read_text().count("\n") == 3


def test_the_same_seed_trains_the_same_model(made: Made, tmp_path: Path) -> None:
    train(
        TrainConfig(
            robot="point_mass",
            data=(made.data,),
            out=tmp_path,
            updates=30,
            eval_every=20,
            eval_goals=2,
            threads=1,
            agent=AGENT,
        )
    )
    first, second = (load_file(folder / "last.safetensors") for folder in (made.run, tmp_path))
    for name, weights in first.items():
        assert torch.equal(weights, second[name]), name


def test_the_policy_graph_is_the_trainers_policy(
    bundle: Bundle, networks: Networks, environment: Environment
) -> None:
    graph, rng = bundle.load_graph(POLICY), np.random.default_rng(0)
    act_dim = environment.spec.act_dim
    for _ in range(20):
        observation = rng.normal(size=(1, environment.spec.obs_dim)).astype(np.float32)
        z = rng.normal(size=(1, AGENT.d)).astype(np.float32)
        noise = rng.normal(size=(1, act_dim)).astype(np.float32)
        expected = networks.policy(torch.from_numpy(observation), torch.from_numpy(z))
        action, mean, scale = graph.run({"observation": observation, "z": z, "noise": noise})
        np.testing.assert_allclose(mean, expected.detach().numpy(), atol=1e-5)
        np.testing.assert_array_equal(scale, np.full((1, act_dim), np.float32(AGENT.noise)))
        np.testing.assert_allclose(action, np.clip(mean + scale * noise, -1.0, 1.0), atol=1e-6)


def test_the_best_of_graph_takes_the_action_that_f_values_most(
    bundle: Bundle, networks: Networks, environment: Environment
) -> None:
    rng, spec = np.random.default_rng(0), environment.spec
    inputs = {
        "observation": rng.normal(size=(1, spec.obs_dim)).astype(np.float32),
        "z": rng.normal(size=(1, AGENT.d)).astype(np.float32),
        "noise": rng.normal(size=(CANDIDATES, spec.act_dim)).astype(np.float32),
    }
    action, q = bundle.load_graph(BEST_OF).run(inputs)
    observation, z, noise = (torch.from_numpy(value) for value in inputs.values())
    mean = networks.policy(observation, z)
    candidates = (mean + AGENT.noise * noise).clamp(-1.0, 1.0)
    rows = observation.expand(CANDIDATES, -1), candidates, z.expand(CANDIDATES, -1)
    expected = pessimistic(networks.q_of(*rows), AGENT.actor_pessimism).detach().numpy()
    np.testing.assert_allclose(q, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(action[0], candidates[np.argmax(q)].detach(), atol=1e-6)


def test_graphs_say_what_goes_in_and_what_comes_out(made: Made) -> None:
    for file in GRAPH_FILES:
        model = onnx.load(made.bundle / file)
        (entry,) = model.metadata_props
        described = json.loads(entry.value)
        names = [value.name for value in (*model.graph.input, *model.graph.output)]
        assert list(described) == names
        assert model.opset_import[0].version == 17
        if "observation" in described:
            assert "joint_vel[2] m/s" in described["observation"]


def test_half_precision_keeps_inputs_outputs_and_sums_in_float32(made: Made) -> None:
    for file, half in HALF.items():
        model = onnx.load(made.bundle / half)
        for value in (*model.graph.input, *model.graph.output):
            assert value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT, value.name
        halved = [w for w in model.graph.initializer if w.data_type == onnx.TensorProto.FLOAT16]
        assert halved
        assert (made.bundle / half).stat().st_size < (made.bundle / file).stat().st_size


def test_the_golden_vectors_are_the_trainers_in_float64(
    bundle: Bundle, networks: Networks
) -> None:
    assert [len(bundle.golden[graph]) for graph in GRAPHS] == [32, 8, 4, 1]
    exact = copy.deepcopy(networks).double()
    for case in bundle.golden[POLICY]:
        inputs = {name: torch.from_numpy(value) for name, value in case.inputs.items()}
        mean = exact.policy(inputs["observation"], inputs["z"]).detach().numpy()
        np.testing.assert_allclose(case.outputs["mean"], mean, atol=1e-14)
        for value in case.inputs.values():
            np.testing.assert_array_equal(value, value.astype(np.float32))


@pytest.mark.parametrize("count", [1, 7, 100])
def test_the_encoder_graph_is_the_trainers_encoding(
    bundle: Bundle, networks: Networks, count: int
) -> None:
    rng = np.random.default_rng(count)
    features = rng.normal(scale=0.1, size=(count, 5)).astype(np.float32)
    inputs = {
        "features": features,
        "weights": rng.uniform(size=count).astype(np.float32),
        "reward": rng.normal(size=count).astype(np.float32),
        "asked": np.array([1, 0, 1, 1], dtype=np.float32),
    }
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    expected = encode(
        networks.backward_map,
        tensors["features"],
        tensors["weights"],
        tensors["asked"],
        tensors["reward"],
    )
    found = bundle.load_graph(TASK_ENCODER).run(inputs)
    for array, tensor in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, tensor.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("count", [1, 5])
def test_the_value_graph_is_the_trainers_q(
    bundle: Bundle, networks: Networks, environment: Environment, count: int
) -> None:
    rng = np.random.default_rng(count)
    rows = {
        "observation": rng.normal(size=(count, environment.spec.obs_dim)).astype(np.float32),
        "action": rng.uniform(-1, 1, size=(count, environment.spec.act_dim)).astype(np.float32),
        "z": rng.normal(size=(count, AGENT.d)).astype(np.float32),
        "reward": rng.normal(size=(count, AGENT.d)).astype(np.float32),
    }
    tensors = {name: torch.from_numpy(value) for name, value in rows.items()}
    expected = networks.q_of(**tensors)
    found = bundle.load_graph(VALUE).run(rows)[0]
    assert found.shape == (AGENT.ensemble, count)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=1e-4, atol=1e-4)


def test_export_refuses_other_data(made: Made, tmp_path: Path) -> None:
    collect(CollectConfig(robot="point_mass", out=tmp_path, episodes=1, workers=1))
    with pytest.raises(FbRosError, match="fingerprint"):
        export(ExportConfig(run=made.run, data=(tmp_path,), out=tmp_path / "bundle"))


def test_evaluation_is_the_same_for_the_same_seed(made: Made) -> None:
    config = EvaluateConfig(bundle=made.bundle, goals=2, seed=9)
    first, second = evaluate(config), evaluate(config)
    for name in ("success", "mean_return", "median_final_error_m", "model_id"):
        assert first[name] == second[name]


def test_evaluate_prints_the_promised_keys(made: Made, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", "--bundle", str(made.bundle), "--goals", "2", "--seed", "3", "--json"]
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out)
    for name in ("success", "mean_return", "median_final_error_m", "model_id"):
        assert name in result
    assert (result["episodes"], result["seed"]) == (2, 3)


@pytest.mark.parametrize("damage", ["nan", "width", "empty"])
def test_data_that_cannot_be_trained_on_are_refused(
    made: Made, tmp_path: Path, environment: Environment, damage: str
) -> None:
    if damage != "empty":
        arrays = dict(np.load(min(made.data.glob("episode_*.npz"))))
        if damage == "nan":
            arrays["observation"][3] = np.nan
        else:
            arrays["observation"] = arrays["observation"][:, :2]
        np.savez(tmp_path / "episode_000000_40.npz", **arrays)
    expected = {"nan": "NaN", "width": "components", "empty": "holds no episodes"}[damage]
    with pytest.raises(FbRosError, match=expected):
        Transitions((tmp_path,), environment.spec)


def test_the_shipped_jaco_model_reaches(root: Path) -> None:
    """Ten goals of the hundred of the README: a model that was broken fails, noise does not."""
    result = evaluate(EvaluateConfig(bundle=root / "models" / "jaco", goals=10, reference=True))
    assert result["success"] >= 0.7
    assert result["mean_return"] >= 150.0
    assert result["resolved_rate"]["success"] == 1.0


def test_collecting_ends_in_one_line_when_it_is_told_to(tmp_path: Path) -> None:
    out = tmp_path / "data"
    words = ["collect", "--robot", "point_mass", "--episodes", "100000", "--workers", "2"]
    running = subprocess.Popen(
        [sys.executable, "-m", "fb_ros.cli", *words, "--out", str(out)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert running.stderr is not None
    while not list(out.glob("episode_*.npz")):
        assert running.poll() is None
    running.terminate()
    _, errors = running.communicate(timeout=60.0)
    assert running.returncode == 130
    assert errors.splitlines()[-1] == "fb_ros collect: interrupted"
