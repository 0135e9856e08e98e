"""`fb_ros topline`: trains an agent on the same data with the task's reward known."""

from __future__ import annotations

import csv
import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.folder_lock import sole_writer
from fb_ros.settings import require_at_least
from sim.progress import progress_bar
from sim.ranges import require_seed
from sim.robots.registry import make_environment, require_robot
from sim.tasks.reward_tasks import reward_tasks
from training.agents.td3 import RewardedBatch, Td3, normalizer_of
from training.agents.td3_config import Td3Config
from training.agents.topline_actor import TOPLINE, actor_module
from training.compute import arithmetic
from training.compute.device import choose_device, device_name
from training.data.data import Transitions
from training.data.fingerprint import data_fingerprint, require_still
from training.data.record import write_record
from training.data.task_labels import label
from training.evaluation.task_evaluation import task_returns
from training.networks.weights import write_weights
from training.runs.commit import commit
from training.runs.run_record import BEST, LAST, RUN

_CURVE = "curve.csv"


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToplineConfig(CommandConfig):
    """Train TD3 offline on one task, with the task's reward: the topline of zero-shot models."""

    robot: str = "walker"
    """Robot that was recorded."""
    task: str = "walk"
    """Task whose reward it learns."""
    data: tuple[Path, ...] = (Path("data/walker"),)
    """Folders of episodes with stored physics."""
    out: Path = Path("runs/topline")
    """Folder for weights and learning curve."""
    updates: int = 50_000
    """Total number of updates."""
    seed: int = 0
    """Seed of the weights and of the batches."""
    threads: int = 0
    """CPU threads; 0 for PyTorch's choice."""
    device: str = "cpu"
    """Device to compute on: `cpu`, `cuda` or `cuda:N`, or `auto` for `cuda` if there is one."""
    eval_every: int = 5000
    """Updates between evaluations; the last evaluation is always at the end."""
    eval_episodes: int = 5
    """Episodes per evaluation."""
    eval_seed: int = 1_000_000
    """Seed of the evaluation episodes' initial states."""
    td3: Td3Config = dataclasses.field(default_factory=Td3Config)
    """The agent."""

    def __post_init__(self) -> None:
        require_robot(self.robot)
        require_seed(self.seed)
        reward_tasks(self.robot, (self.task,))
        require_at_least(self, 1, "updates", "eval_every", "eval_episodes")


def topline(config: ToplineConfig) -> Result:
    """Trains and evaluates; keeps the last and the best weights."""
    with sole_writer(config.out, "fb_ros topline"):
        return _topline(config)


def _topline(config: ToplineConfig) -> Result:
    device = choose_device(config.device)
    arithmetic.set_up(config.threads, device)
    torch.manual_seed(config.seed)
    environment = make_environment(config.robot)
    spec = environment.spec
    (task,) = reward_tasks(config.robot, (config.task,))
    data = Transitions(config.data, spec)
    rewards = label(data, environment, task)
    moments = data.moments("observation")
    normalizer = normalizer_of(moments.mean, moments.std)
    agent = Td3(config.td3, spec.obs_dim, spec.act_dim, normalizer, device)
    generator = torch.Generator().manual_seed(config.seed)
    curve: list[dict[str, float]] = []
    run: Result = {
        "algorithm": TOPLINE,
        "robot": config.robot,
        "task": config.task,
        "commit": commit(),
        "data": {"fingerprint": data_fingerprint(config.data), "transitions": len(data)},
        "seed": config.seed,
        "device": device_name(device),
        "agent": dataclasses.asdict(config.td3),
        "updates": config.updates,
        "learning_curve": curve,
    }
    require_still(config.data, [len(flat.steps) for flat in data.flat])
    started, best = time.perf_counter(), -np.inf
    progress = progress_bar(
        range(1, config.updates + 1), title=f"topline {config.task}", unit="update"
    )
    for update in progress:
        rows = data.draw(config.td3.batch, generator)
        batch = data.batch_at(rows)
        losses = agent.update(
            RewardedBatch(
                observation=batch.observation,
                action=batch.action,
                reward=torch.from_numpy(rewards[rows.numpy() + 1]),
                next_observation=batch.next_observation,
                discount=batch.discount,
            ).to(device),
            generator,
        )
        if update % config.eval_every and update < config.updates:
            continue
        figures = {name: float(value) for name, value in losses.items()}
        if not all(np.isfinite(list(figures.values()))):
            raise FbRosError(f"training diverged by update {update}: {figures}; see {config.out}")
        found = task_returns(
            environment,
            task,
            agent.policy().action,
            episodes=config.eval_episodes,
            seed=config.eval_seed,
        )
        minutes = (time.perf_counter() - started) / 60.0
        row = {"update": float(update), "minutes": minutes, **figures}
        row["mean_return"] = float(found.mean())
        curve.append(row)
        _write_curve(config.out / _CURVE, curve)
        progress.write(_line(row))
        actor = actor_module(agent)
        write_weights(actor, config.out / LAST)
        run["last"] = row
        if row["mean_return"] >= best:
            best = row["mean_return"]
            write_weights(actor, config.out / BEST)
            run["best"] = row
        write_record(config.out / RUN, run)
    return run


def _write_curve(path: Path, curve: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(curve[0]))
        writer.writeheader()
        writer.writerows(curve)


def _line(row: dict[str, Any]) -> str:
    return (
        f"{row['update']:8.0f} updates {row['minutes']:6.1f} min   return "
        f"{row['mean_return']:6.1f}   Q {row['q']:.1f}"
    )


def _show(result: Result) -> str:
    return "last  " + _line(result["last"]) + "\nbest  " + _line(result["best"])


COMMAND = Command(config=ToplineConfig, run=topline, show=_show)
