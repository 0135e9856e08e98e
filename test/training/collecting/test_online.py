"""TD3, random network distillation, and the data that they collect."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from fb_ros.errors import FbRosError
from sim.robots.registry import make_environment
from training.agents.rnd import RandomNetworkDistillation
from training.agents.td3 import RewardedBatch, Td3, normalizer_of
from training.agents.td3_config import Td3Config
from training.collecting.collect_config import CollectConfig, OnlineConfig
from training.collecting.online_worker import Job, OnlineWorker
from training.commands.collect import collect
from training.data.data import Transitions
from training.data.episode import load_episode


def small(**changes: object) -> CollectConfig:
    config = CollectConfig(
        robot="point_mass",
        method="rnd",
        episodes=12,
        episode_steps=20,
        workers=1,
        online=OnlineConfig(
            td3=Td3Config(hidden=16, batch=16), warm_up=80, updates_per_step=0.25, round_episodes=4
        ),
    )
    return dataclasses.replace(config, **changes)  # type: ignore[arg-type]


def assert_same_data(first: Path, second: Path, count: int) -> None:
    names = [path.name for path in sorted(first.glob("episode_*.npz"))]
    assert len(names) == count
    assert names == [path.name for path in sorted(second.glob("episode_*.npz"))]
    for name in names:
        one, other = load_episode(first / name), load_episode(second / name)
        np.testing.assert_array_equal(one.physics, other.physics)
        np.testing.assert_array_equal(one.action, other.action)


def test_an_interrupted_explorer_goes_on_to_the_same_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collect(small(out=tmp_path / "whole"))
    run, runs = OnlineWorker.run, []

    def interrupted(self: OnlineWorker, job: Job) -> object:
        runs.append(job.number)
        if len(runs) == 11:
            raise KeyboardInterrupt
        return run(self, job)

    monkeypatch.setattr(OnlineWorker, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        collect(small(out=tmp_path / "parts"))
    monkeypatch.undo()
    result = collect(small(out=tmp_path / "parts"))
    assert result["episodes"] == 4  # The last round, of which two were there.
    assert_same_data(tmp_path / "whole", tmp_path / "parts", 12)


def test_the_explorers_data_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    collect(small(out=tmp_path / "one"))
    collect(small(out=tmp_path / "two", workers=2))
    assert_same_data(tmp_path / "one", tmp_path / "two", 12)
    spec = make_environment("point_mass").spec
    assert len(Transitions((tmp_path / "one",), spec)) == 240


def test_mixed_objective_data_are_the_best_of_each_task(tmp_path: Path) -> None:
    config = small(
        robot="walker", method="mood", out=tmp_path, tasks=("stand", "flip"), keep_share=0.5
    )
    collect(config)
    pooled = [load_episode(path) for path in sorted(tmp_path.glob("episode_*.npz"))]
    assert len(pooled) == 6
    for number, task in enumerate(config.tasks):
        found = [load_episode(path) for path in (tmp_path / "tasks" / task).glob("episode_*.npz")]
        returns = sorted((float(one.reward.sum()) for one in found), reverse=True)
        kept = [float(one.reward.sum()) for one in pooled[3 * number : 3 * number + 3]]
        assert len(returns) == 6
        assert kept == pytest.approx(returns[:3])
    assert collect(config)["episodes"] == 0
    assert set(json.loads((tmp_path / "pool.json").read_text())) == {"stand", "flip"}


def test_an_agent_of_other_sizes_is_refused(tmp_path: Path) -> None:
    collect(small(out=tmp_path))
    (tmp_path / "data.json").unlink()
    online = OnlineConfig(td3=Td3Config(hidden=8, batch=16), warm_up=80, round_episodes=4)
    with pytest.raises(FbRosError, match="does not fit these settings"):
        collect(small(out=tmp_path, online=online))
    assert len(list(tmp_path.glob("episode_*.npz"))) == 12


def test_records_of_before_there_was_a_choice_still_fit(tmp_path: Path) -> None:
    config = small(out=tmp_path, method="noise", episodes=2)
    collect(config)
    record = json.loads((tmp_path / "data.json").read_text())
    for name in ("method", "online", "tasks", "keep_share"):
        del record[name]
    (tmp_path / "data.json").write_text(json.dumps(record))
    collect(dataclasses.replace(config, online=OnlineConfig(), episodes=3))
    with pytest.raises(FbRosError, match="choose another --out"):
        collect(small(out=tmp_path))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"method": "mood"}, "no benchmark tasks"),
        ({"tasks": ("walk",)}, "has no task 'walk'"),
        ({"keep_share": 0.0}, "keep_share"),
        ({"policy": Path("jaco")}, "goes with the method noise"),
    ],
)
def test_settings_that_do_not_fit_are_named(changes: dict[str, object], expected: str) -> None:
    with pytest.raises(FbRosError, match=expected):
        small(**changes)


def agent(obs_dim: int, act_dim: int) -> Td3:
    torch.manual_seed(0)
    config = Td3Config(hidden=32, batch=64, learning_rate=3e-3)
    return Td3(config, obs_dim, act_dim, normalizer_of(np.zeros(obs_dim), np.ones(obs_dim)))


def test_td3_finds_the_best_action_of_each_state() -> None:
    td3, generator = agent(1, 1), torch.Generator().manual_seed(0)
    for _ in range(400):
        state = 2.0 * torch.rand(64, 1, generator=generator) - 1.0
        action = 2.0 * torch.rand(64, 1, generator=generator) - 1.0
        td3.update(
            RewardedBatch(
                observation=state,
                action=action,
                reward=-(action - 0.5 * state).square()[:, 0],
                next_observation=state,
                discount=torch.zeros(64),
            ),
            generator,
        )
    states = torch.linspace(-0.8, 0.8, 9)[:, None]
    with torch.no_grad():
        chosen = td3.actor(states)
    torch.testing.assert_close(chosen, 0.5 * states, atol=0.1, rtol=0.0)


def test_td3_adds_up_what_follows() -> None:
    """One state that goes on for ever is worth 1 / (1 - gamma) times its reward."""
    td3, generator = agent(1, 1), torch.Generator().manual_seed(0)
    td3.config = dataclasses.replace(td3.config, gamma=0.5, target_rate=0.1)
    nothing, one = torch.zeros(64, 1), torch.ones(64)
    for _ in range(500):
        action = 2.0 * torch.rand(64, 1, generator=generator) - 1.0
        batch = RewardedBatch(
            observation=nothing, action=action, reward=one, next_observation=nothing, discount=one
        )
        figures = td3.update(batch, generator)
    assert figures["q"] == pytest.approx(2.0, abs=0.1)


def test_the_policy_without_torch_is_the_actor() -> None:
    td3 = agent(5, 3)
    td3.normalizer.load_state_dict(normalizer_of(np.arange(5.0), np.full(5, 2.0)).state_dict())
    policy = td3.policy()
    for observation in np.random.default_rng(0).normal(size=(20, 5)):
        with torch.no_grad():
            seen = td3.normalizer(torch.from_numpy(observation).float())
            expected = td3.actor(seen).numpy()
        np.testing.assert_allclose(policy.action(observation), expected, atol=1e-6)


def test_the_bonus_falls_where_one_has_been() -> None:
    torch.manual_seed(0)
    rnd = RandomNetworkDistillation(4, 32)
    optimizer = torch.optim.Adam(rnd.predictor.parameters(), lr=1e-3)
    known, unknown = torch.randn(256, 4) - 2.0, torch.randn(256, 4) + 2.0
    for _ in range(300):
        rnd.learn(known, optimizer)
    assert rnd.error(known).mean() < 0.2 * rnd.error(unknown).mean()
