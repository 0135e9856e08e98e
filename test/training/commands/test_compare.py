"""Runs of zero-shot and of told agents, and what `fb_ros compare` says of them."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from fb_ros.bundle.bundle import load_bundle
from fb_ros.bundle.policy import Policy
from fb_ros.cli import main
from fb_ros.errors import FbRosError
from sim.robots.registry import make_environment
from sim.robots.start import STARTS, Start
from sim.tasks.episode_seed import episode_rng
from sim.tasks.reward_tasks import reward_tasks
from training.agents.recipes import agent_config
from training.agents.td3_config import Td3Config
from training.collecting.collect_config import CollectConfig
from training.commands.collect import collect
from training.commands.export import ExportConfig, export
from training.commands.topline import ToplineConfig, topline
from training.commands.train import train
from training.comparison.interval import interquartile_mean
from training.comparison.plot_curves import curves
from training.data.data import Transitions
from training.data.episode import episode_paths, load_episode
from training.data.task_labels import label
from training.evaluation.task_evaluation import task_returns
from training.runs.train_config import TrainConfig

TASKS = ("stand", "walk")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("walker")
    collect(
        CollectConfig(robot="walker", out=folder, episodes=4, episode_steps=50, seed=1, workers=1)
    )
    return folder


@pytest.fixture(scope="module")
def runs(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("runs")
    for seed in (0, 1):
        train(
            TrainConfig(
                robot="walker",
                data=(data,),
                out=folder / f"fb-{seed}",
                updates=2,
                eval_every=2,
                eval_goals=1,
                threads=1,
                seed=seed,
                agent=agent_config(
                    "fb_ar",
                    features=("torso_height", "torso_up", "torso_vel"),
                    d=8,
                    blocks=2,
                    hidden=16,
                    backward_hidden=8,
                    batch=16,
                    groups=2,
                    negatives=4,
                    box_share=0.0,
                ),
            )
        )
        for task in TASKS:
            topline(
                ToplineConfig(
                    robot="walker",
                    task=task,
                    data=(data,),
                    out=folder / f"td3-{task}-{seed}",
                    updates=4,
                    eval_every=2,
                    eval_episodes=1,
                    threads=1,
                    seed=seed,
                    td3=Td3Config(hidden=16, batch=16),
                )
            )
    return sorted(folder.iterdir())


def test_every_algorithm_has_returns_and_an_interval(
    data: Path, runs: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["compare", *map(str, runs), "--data", str(data), "--tasks", *TASKS]
    assert main([*words, "--episodes", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    found = {(entry["algorithm"], entry["weights"]): entry for entry in result["algorithms"]}
    assert set(found) == {
        (name, weights) for name in ("fb_ar", "td3") for weights in ("last", "best")
    }
    for entry in found.values():
        assert entry["runs"] == 2
        assert set(entry["returns"]) == set(TASKS)
        assert 0.0 <= entry["low"] <= entry["iqm"] <= entry["high"] <= 1.0
    # Two seeds, two weights, two tasks, of either algorithm.
    assert len(result["rows"]) == 16


def test_learning_curves_are_drawn(data: Path, runs: list[Path], tmp_path: Path) -> None:
    words = ["compare", str(runs[0]), str(runs[1]), "--data", str(data), "--tasks", "stand"]
    picture = tmp_path / "curves.png"
    assert main([*words, "--episodes", "1", "--plot", str(picture)]) == 0
    with Image.open(picture) as image:
        assert image.width > image.height > 100


def test_a_curve_ends_where_the_shortest_run_does() -> None:
    def run(*returns: float) -> dict[str, object]:
        rows = [{"update": 10 * i, "mean_return": value} for i, value in enumerate(returns)]
        return {"learning_curve": rows}

    found = curves([("fb", run(1.0, 2.0, 3.0)), ("fb", run(5.0, 6.0)), ("td3", run())])
    assert set(found) == {"fb"}
    updates, returns = found["fb"]
    np.testing.assert_array_equal(updates, [0, 10])
    np.testing.assert_array_equal(returns, [[1.0, 2.0], [5.0, 6.0]])


@pytest.mark.parametrize("name", ["curves.txt", "nowhere/curves.png"])
def test_a_picture_that_cannot_be_is_refused_at_once(tmp_path: Path, name: str) -> None:
    words = ["compare", "unused", "--data", "unused", "--plot", str(tmp_path / name)]
    assert main(words) == 1


def test_a_robot_is_trained_and_exported_for_tasks_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out, tasks = tmp_path / "data", tmp_path / "run", ("walk_backward", "stay")
    standing = CollectConfig(
        robot="quadruped", out=data, episodes=2, episode_steps=20, start="standing", workers=1
    )
    collect(standing)
    for path in episode_paths(data):
        upright = load_episode(path).features[0, 6]
        assert upright > 0.9
    config = TrainConfig(
        robot="quadruped",
        data=(data,),
        out=out,
        updates=1,
        eval_goals=1,
        eval_tasks=tasks,
        eval_start="standing",
        threads=1,
        agent=agent_config("fb", features=("torso_up", "torso_vel"), d=8, hidden=16, batch=16),
    )
    trained = train(config)
    names = {f"return_{task}" for task in tasks}
    assert {name for name in trained["last"] if name.startswith("return_")} == names
    # On its feet an untrained policy hardly moves; dropped any way round it lies there.
    assert trained["last"]["return_stay"] > 500.0
    export(ExportConfig(run=out, data=(data,), out=tmp_path / "bundle", goals=1))
    evaluation = load_bundle(tmp_path / "bundle").evaluation
    assert {name for name in evaluation if name.startswith("return_")} == names
    assert evaluation["mean_return"] == pytest.approx(np.mean([evaluation[n] for n in names]))
    assert evaluation["return_stay"] > 500.0

    words = ["compare", str(out), "--data", str(data), "--tasks", "stay", "--episodes", "1"]
    returns = {}
    for start in ("standing", "benchmark"):
        capsys.readouterr()
        assert main([*words, "--json", "--start", start]) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["start"] == start
        returns[start] = result["rows"][0]["return"]
    assert returns["standing"] > 500.0 > returns["benchmark"]

    for other in ({"eval_tasks": ("stay",)}, {"eval_start": "benchmark"}):
        with pytest.raises(FbRosError, match=f"was made with {next(iter(other))}"):
            train(dataclasses.replace(config, updates=2, resume=True, **other))


@pytest.mark.parametrize("start", STARTS)
def test_agents_learn_from_where_they_are_told_to_start(tmp_path: Path, start: Start) -> None:
    collect(
        CollectConfig(
            robot="quadruped",
            method="mood",
            tasks=("stay",),
            out=tmp_path,
            episodes=3,
            episode_steps=2,
            start=start,
            keep_share=1.0,
            workers=1,
        )
    )
    upright = [load_episode(path).features[0, 6] for path in episode_paths(tmp_path)]
    assert (min(upright) > 0.9) == (start == "standing")


def test_unknown_tasks_are_refused_before_the_data_are_read(tmp_path: Path) -> None:
    config = TrainConfig(robot="walker", data=(tmp_path / "none",), eval_tasks=("fly",))
    with pytest.raises(FbRosError, match="has no task 'fly'"):
        train(config)


def test_an_arm_is_not_evaluated_by_tasks(tmp_path: Path) -> None:
    config = TrainConfig(robot="point_mass", data=(tmp_path / "none",), eval_tasks=("stay",))
    with pytest.raises(FbRosError, match="leave eval_tasks out"):
        train(config)


def test_random_goals_are_those_of_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, out = tmp_path / "data", tmp_path / "run"
    collect(CollectConfig(robot="point_mass", out=data, episodes=4, episode_steps=30, workers=1))
    config = TrainConfig(
        robot="point_mass",
        data=(data,),
        out=out,
        updates=2,
        eval_goals=2,
        threads=1,
        agent=agent_config("fb_aw", features=("tcp_pos",), d=8, hidden=16, batch=16),
    )
    trained = train(config)
    capsys.readouterr()
    words = ["compare", str(out), "--data", str(data), "--tasks", "reach", "--json"]
    assert main([*words, "--episodes", "2", "--seed", str(config.eval_seed)]) == 0
    (last, _) = json.loads(capsys.readouterr().out)["rows"]
    assert last["return"] == pytest.approx(trained["last"]["mean_return"])

    # The same weights, acting by the best of several actions.
    words += ["--episodes", "2", "--seed", str(config.eval_seed), "--eval-samples", "8"]
    assert main(words) == 0
    (sampled, _) = json.loads(capsys.readouterr().out)["rows"]
    assert sampled["return"] != last["return"]


def test_random_goals_are_for_arms(data: Path, runs: list[Path]) -> None:
    words = ["compare", str(runs[0]), "--data", str(data), "--tasks", "reach"]
    assert main(words) == 1


def test_training_evaluates_on_the_robots_tasks(runs: list[Path]) -> None:
    run = json.loads((runs[0] / "run.json").read_text())
    returns = [run["last"][f"return_{task.name}"] for task in reward_tasks("walker")]
    assert run["last"]["mean_return"] == pytest.approx(np.mean(returns))


def test_a_robot_that_moves_about_is_exported_with_its_returns(
    data: Path, runs: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "bundle"
    config = ExportConfig(run=runs[0], data=(data,), out=out, reference_states=50, goals=1)
    export(config)
    bundle = load_bundle(out)
    names = [f"return_{task.name}" for task in reward_tasks("walker")]
    returns = [bundle.evaluation[name] for name in names]
    assert bundle.evaluation["mean_return"] == pytest.approx(np.mean(returns))
    rng = np.random.default_rng(0)
    z = rng.normal(size=bundle.z_dim).astype(np.float32)
    command = Policy(bundle).command(bundle.reference_observations[0], z)
    assert np.all(np.abs(command) <= bundle.robot.action_high)


def test_labels_are_the_rewards_of_the_stored_states(data: Path) -> None:
    environment = make_environment("walker")
    transitions = Transitions((data, data), environment.spec)
    (task,) = reward_tasks("walker", ("walk",))
    rows = transitions.draw(50, torch.Generator().manual_seed(0))
    expected = task.rewards(environment, transitions.physics_at(rows))
    for _ in range(2):  # Computed, and read back.
        labels = label(transitions, environment, task)
        np.testing.assert_allclose(labels[rows.numpy()], expected, rtol=1e-6)


def test_a_return_is_the_sum_of_an_episodes_rewards() -> None:
    environment = make_environment("walker")
    (task,) = reward_tasks("walker", ("stand",))
    nothing = np.zeros(environment.spec.act_dim)
    found = task_returns(environment, task, lambda _: nothing, episodes=1, seed=3)
    environment.reset(episode_rng(3, 0))
    total = 0.0
    for _ in range(task.steps):
        environment.step(environment.spec.command_from_action(nothing))
        total += task.rewards(environment, environment.physics_state()[None])[0]
    assert found[0] == pytest.approx(total)


def test_the_interquartile_mean_ignores_the_extremes() -> None:
    scores = np.array([[0.0, 0.4], [0.5, 0.6], [0.4, 0.5], [0.6, 100.0]])
    interval = interquartile_mean(scores)
    assert interval.iqm == pytest.approx(0.5)
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low <= 0.5 <= interval.high
    assert interval == interquartile_mean(scores)


def test_one_run_has_no_interval() -> None:
    iqm, low, high = interquartile_mean(np.array([[0.2, 0.4, 0.6, 0.8]]))
    assert iqm == pytest.approx(0.5)
    assert (low, high) == (None, None)


def test_runs_of_two_robots_are_not_compared(runs: list[Path], tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    record = json.loads((runs[0] / "run.json").read_text())
    (other / "run.json").write_text(json.dumps({**record, "robot": "cheetah"}))
    assert main(["compare", str(runs[0]), str(other), "--data", "unused"]) == 1


def test_a_task_that_the_robot_lacks_is_refused() -> None:
    with pytest.raises(FbRosError, match="possible: stand, walk, run, flip"):
        ToplineConfig(robot="walker", task="juggle")
