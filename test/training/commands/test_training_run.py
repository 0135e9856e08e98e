"""Training that can be left alone: whatever stops it, nothing is lost and it goes on the same."""

from __future__ import annotations

import csv
import dataclasses
import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fb_ros.cli import main
from fb_ros.errors import FbRosError
from training.agents.agent import Agent
from training.agents.recipes import Recipe, agent_config
from training.collecting.collect_config import CollectConfig
from training.commands.collect import collect
from training.commands.train import train
from training.data.record import read_record
from training.runs.train_config import TrainConfig

UPDATES = 24


class Killed(BaseException):
    """Stands for a power cut: nothing catches it."""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    collect(CollectConfig(robot="point_mass", out=folder, episodes=5, episode_steps=30, workers=1))
    return folder


@pytest.fixture
def config(data: Path, tmp_path: Path) -> TrainConfig:
    return config_of(data, tmp_path / "run")


def config_of(data: Path, out: Path, **changes: Any) -> TrainConfig:
    agent: dict[str, Any] = {
        "d": 16,
        "hidden": 16,
        "backward_hidden": 16,
        "batch": 32,
        "groups": 4,
    }
    agent |= changes.pop("agent", {})
    settings: dict[str, Any] = {
        "robot": "point_mass",
        "data": (data,),
        "out": out,
        "updates": UPDATES,
        "eval_every": 10,
        "eval_goals": 1,
        "checkpoint_every": 6,
        "log_every": 2,
        "threads": 1,
        "agent": agent_config("fb_aware", **agent),
    }
    return TrainConfig(**settings | changes)


@pytest.fixture(scope="module")
def whole(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training that nothing interrupted."""
    out = tmp_path_factory.mktemp("whole")
    train(config_of(data, out))
    return out


def at_update(
    monkeypatch: pytest.MonkeyPatch, number: int, act: Callable[[], None]
) -> pytest.MonkeyPatch:
    """Acts before the update of that number, counted from now."""
    calls = iter(range(1, 1_000_000))

    def counted(original: Callable[..., Any]) -> Callable[..., Any]:
        def update(agent: Agent, *inputs: Any) -> Any:
            if next(calls) == number:
                act()
            return original(agent, *inputs)

        return update

    for name in ("update", "update_policy"):
        monkeypatch.setattr(Agent, name, counted(getattr(Agent, name)))
    return monkeypatch


def kill() -> None:
    raise Killed


def assert_same_training(first: Path, second: Path) -> None:
    for name in ("checkpoint", "last", "best"):
        ours, theirs = (load_file(folder / f"{name}.safetensors") for folder in (first, second))
        assert ours.keys() == theirs.keys()
        for key, value in ours.items():
            assert torch.equal(value, theirs[key]), key
    for name in ("curve.csv", "updates.csv"):
        rows = [list(csv.DictReader((folder / name).open())) for folder in (first, second)]
        for row in (*rows[0], *rows[1]):
            row.pop("minutes")
        assert rows[0] == rows[1]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_and_it_goes_on_bit_for_bit(
    config: TrainConfig, whole: Path, data: Path, number: signal.Signals
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        at_update(patch, 17, lambda: os.kill(os.getpid(), number))
        result = train(config)
    assert (result["ok"], result["stopped_by"], result["update"]) == (False, number.name, 17)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    train(config_of(data, config.out, resume=True))
    assert_same_training(config.out, whole)


@pytest.mark.parametrize(
    ("recipe", "policy_share"), [("textbook", 0.0), ("reaching", 0.0), ("textbook", 0.7)]
)
def test_every_recipe_goes_on_bit_for_bit(
    data: Path, tmp_path: Path, recipe: Recipe, policy_share: float
) -> None:
    settings: dict[str, Any] = {
        "d": 16,
        "hidden": 16,
        "backward_hidden": 16,
        "batch": 32,
        "groups": 4,
        "policy_share": policy_share,
    }
    if recipe == "reaching":
        settings |= {"negatives": 4, "box_share": 0.0}
    agent = agent_config("fb", recipe, **settings)
    straight, twice = tmp_path / "straight", tmp_path / "twice"
    train(dataclasses.replace(config_of(data, straight), agent=agent))
    with pytest.MonkeyPatch.context() as patch:
        at_update(patch, 11, lambda: os.kill(os.getpid(), signal.SIGTERM))
        train(dataclasses.replace(config_of(data, twice), agent=agent))
    train(dataclasses.replace(config_of(data, twice, resume=True), agent=agent))
    assert_same_training(straight, twice)


@pytest.mark.parametrize("update", [1, 9, 12, 13, 24])
def test_a_power_cut_costs_no_more_than_the_updates_since_the_last_checkpoint(
    config: TrainConfig, whole: Path, data: Path, update: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        at_update(patch, update, kill)
        with pytest.raises(Killed):
            train(config)
    train(config_of(data, config.out, resume=True))
    assert_same_training(config.out, whole)


def test_a_finished_training_is_not_done_again(whole: Path, data: Path) -> None:
    before = (whole / "checkpoint.safetensors").stat().st_mtime_ns
    result = train(config_of(data, whole, resume=True))
    assert result["updates"] == UPDATES
    assert (whole / "checkpoint.safetensors").stat().st_mtime_ns == before


def test_a_training_is_not_written_over(whole: Path, data: Path) -> None:
    with pytest.raises(FbRosError, match=f"{UPDATES} updates; go on with it with --resume, or"):
        train(config_of(data, whole))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agent": {"hidden": 24}}, "made with agent.hidden 16, not 24"),
        ({"agent": {"block_sizes": (8, 8)}}, "made with agent.blocks 4, not 2"),
        ({"seed": 1}, "made with seed 0, not 1"),
    ],
)
def test_a_training_of_other_settings_is_not_gone_on_with(
    whole: Path, data: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FbRosError, match=message):
        train(config_of(data, whole, resume=True, **changes))


def test_a_damaged_checkpoint_is_named(whole: Path, data: Path, tmp_path: Path) -> None:
    content = (whole / "checkpoint.safetensors").read_bytes()
    (tmp_path / "checkpoint.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(FbRosError, match=r"checkpoint\.safetensors is not a whole checkpoint"):
        train(config_of(data, tmp_path, resume=True))


@contextmanager
def full_disk(free: int) -> Iterator[None]:
    """No file can grow beyond `free` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_last_checkpoint_whole(
    config: TrainConfig, whole: Path, data: Path
) -> None:
    limit = full_disk(20_000)
    with pytest.MonkeyPatch.context() as patch:
        at_update(patch, 8, limit.__enter__)
        try:
            expected = r"could not be written .*keeps the checkpoint of update 6\. Free some space"
            with pytest.raises(FbRosError, match=expected):
                train(config)
        finally:
            limit.__exit__(None, None, None)
    assert not list(config.out.glob("*.partial"))
    train(config_of(data, config.out, resume=True))
    assert_same_training(config.out, whole)


def test_a_training_that_diverges_stops_with_the_reason(
    config: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, calls = Agent.update, iter(range(1, 1_000))

    def update(agent: Agent, *inputs: Any) -> Any:
        figures = original(agent, *inputs)
        return figures | {"f_norm": torch.tensor(1e9)} if next(calls) == 14 else figures

    monkeypatch.setattr(Agent, "update", update)
    with pytest.raises(FbRosError, match=r"diverged by update 14: the norm of F is 1e\+09") as e:
        train(config)
    assert "keeps the checkpoint of update 12" in str(e.value)
    assert "\n" not in str(e.value)


def test_curves_are_in_csv_and_tensorboard(whole: Path) -> None:
    rows = list(csv.DictReader((whole / "updates.csv").open()))
    assert [float(row["update"]) for row in rows] == list(range(2, UPDATES + 1, 2))
    assert {"fb_loss", "ortho_loss", "q_size", "f_norm"} <= set(rows[0])
    curve = list(csv.DictReader((whole / "curve.csv").open()))
    assert [float(row["update"]) for row in curve] == [10, 20, 24]
    events = EventAccumulator(str(whole / "tensorboard"))
    events.Reload()
    scalars = events.Scalars("updates/fb_loss")
    assert [event.step for event in scalars] == list(range(2, UPDATES + 1, 2))
    for event, row in zip(scalars, rows, strict=True):
        assert event.value == pytest.approx(float(row["fb_loss"]), rel=1e-6)
    assert [event.step for event in events.Scalars("curve/mean_return")] == [10, 20, 24]


def test_the_run_says_what_it_was(whole: Path) -> None:
    run = read_record(whole / "run.json")
    assert (run["recipe"], run["agent"]["algorithm"]) == ("textbook", "fb_aware")
    assert [row["update"] for row in run["learning_curve"]] == [10, 20, 24]
    assert run["agent"]["features"] == ["tcp_pos", "joint_vel"]


def test_the_command_names_what_it_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--agent.algorithm", "fbaware"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "possible: fb, fb_ar, fb_aw, fb_aware" in error


def test_videos_without_a_renderer_are_refused_at_the_start(
    config: TrainConfig, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    with pytest.raises(FbRosError, match="videos need a renderer"):
        train(config_of(data, config.out, videos=1))
    assert not config.out.exists()
