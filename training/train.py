"""`fb_ros train`: a forward-backward model from collected episodes."""

from __future__ import annotations

import csv
import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fb_ros.asked_blocks import asked_blocks
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.field import layout_slices
from sim.environment import Environment
from sim.follow import CommandOf
from sim.progress import progress_bar
from sim.registry import make_environment
from sim.score import reach_figures
from sim.tasks import REACH, make_task
from training.agent import Agent, Networks
from training.agent_config import AgentConfig
from training.collect import METADATA, data_fingerprint
from training.commit import commit
from training.data import Transitions
from training.encoding import encode
from training.evaluate import reach_distances
from training.record import read_record, write_record
from training.sampler import Sampler
from training.task_evaluation import TaskEvaluation
from training.weights import write_weights

RUN = "run.json"
CURVE = "curve.csv"
BEST, LAST = "best.safetensors", "last.safetensors"


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig(CommandConfig):
    """Train a forward-backward model on collected episodes."""

    data: tuple[Path, ...] = (Path("data/jaco"),)
    """Folders of episodes, as `fb_ros collect` writes them."""
    robot: str = "jaco"
    """Robot that the data are of."""
    out: Path = Path("runs/jaco")
    """Folder for checkpoints and the learning curve."""
    init: Path | None = None
    """Weights to start from, of the same sizes; none for random ones."""
    updates: int = 40_000
    """Updates in all."""
    minutes: float = 0.0
    """Stop earlier, when so many minutes have passed; 0 for no limit."""
    seed: int = 0
    """Seed of the weights and of the batches."""
    threads: int = 0
    """CPU threads; 0 for PyTorch's choice."""
    eval_every: int = 2000
    """Updates between evaluations; the last comes at the end in any case."""
    eval_goals: int = 50
    """Goals of an evaluation during training; episodes of each task, for a robot that moves
    about."""
    eval_seed: int = 1_000_000
    """Seed of those goals, far from the seeds that people evaluate with."""
    agent: AgentConfig = dataclasses.field(default_factory=AgentConfig)
    """The agent."""

    def __post_init__(self) -> None:
        for name in ("updates", "eval_every", "eval_goals"):
            if getattr(self, name) < 1:
                raise FbRosError(f"{name} is {getattr(self, name)}, expected at least 1")


def train(config: TrainConfig) -> Result:
    """Trains, evaluates on the way, and keeps the last and the best weights."""
    environment = make_environment(config.robot)
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    data = Transitions(config.data, environment.spec)
    agent = Agent(config.agent, environment.spec, data)
    if config.init:
        agent.load(config.init)
    sampler = Sampler(config.agent, environment.spec, data, agent.networks)
    generator = torch.Generator().manual_seed(config.seed)
    config.out.mkdir(parents=True, exist_ok=True)
    run: Result = {
        "robot": config.robot,
        "commit": commit(),
        "data": {
            "fingerprint": data_fingerprint(config.data),
            "transitions": len(data),
            "collected_with": [_collected_with(folder) for folder in config.data],
        },
        "seed": config.seed,
        "init": _run_of(config.init) if config.init else None,
        "agent": dataclasses.asdict(config.agent),
        "batch": config.agent.batch,
        "threads": torch.get_num_threads(),
    }
    started, best = time.perf_counter(), -np.inf
    curve: list[dict[str, float]] = []
    # A robot that moves about has its benchmark's tasks, an arm goals to reach.
    evaluate_tasks = None
    if not environment.confined:
        evaluate_tasks = TaskEvaluation(config.agent, environment, data, seed=config.eval_seed)
    progress = progress_bar(
        range(1, config.updates + 1), title=f"train {config.robot}", unit="update"
    )
    for update in progress:
        minutes = (time.perf_counter() - started) / 60.0
        spent = minutes / config.minutes if config.minutes else 0.0
        agent.anneal(max((update - 1) / config.updates, spent))
        figures = agent.update(*sampler.sample(generator), generator)
        done = update == config.updates or spent >= 1.0
        if update % config.eval_every and not done:
            continue
        row = {"update": float(update), "minutes": minutes}
        row |= {name: float(value) for name, value in figures.items()}
        if not all(np.isfinite(list(row.values()))):
            raise FbRosError(f"training diverged by update {update}: {row}; see {config.out}")
        if evaluate_tasks:
            row |= evaluate_tasks(agent.averaged, config.eval_goals)
        else:
            row |= _evaluate(agent.averaged, environment, config)
        curve.append(row)
        _write_curve(config.out / CURVE, curve)
        progress.write(_line(row))
        write_weights(agent.averaged, config.out / LAST)
        if row["mean_return"] >= best:
            best = row["mean_return"]
            write_weights(agent.averaged, config.out / BEST)
            run["best"] = row
        run |= {"updates": update, "minutes": minutes, "last": row, "learning_curve": curve}
        write_record(config.out / RUN, run)
        if done:
            break
    return run


@torch.no_grad()
def _evaluate(
    networks: Networks, environment: Environment, config: TrainConfig
) -> dict[str, float]:
    spec = environment.spec
    task = make_task(REACH, spec)
    column = layout_slices(spec.features)[spec.goal_feature]
    asked = torch.from_numpy(asked_blocks(config.agent.block_features, (spec.goal_feature,)))

    def controller_for(goal: np.ndarray) -> CommandOf:
        features = torch.zeros(1, spec.feature_dim)
        features[0, column] = torch.from_numpy(goal).float()
        features = features[:, networks.columns]
        z = encode(networks.backward_map, features, torch.ones(1), asked).z

        def command_of(environment: Environment) -> np.ndarray:
            observation = torch.from_numpy(environment.observation()).float()
            action = networks.policy(observation[None], z[None])[0]
            return spec.command_from_action(action.double().numpy())

        return command_of

    distances = reach_distances(
        environment, task, controller_for, episodes=config.eval_goals, seed=config.eval_seed
    )
    figures: dict[str, Any] = reach_figures(task, distances)
    return {name: figures[name] for name in ("success", "mean_return", "median_final_error_m")}


def _run_of(weights: Path) -> dict[str, Any]:
    """What is recorded of the run that `weights` come from."""
    path = weights.with_name(RUN)
    return {"weights": weights.name, **(read_record(path) if path.is_file() else {})}


def _collected_with(folder: Path) -> dict[str, Any]:
    path = folder / METADATA
    return read_record(path) if path.is_file() else {}


def _write_curve(path: Path, curve: list[dict[str, float]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(curve[0]))
        writer.writeheader()
        writer.writerows(curve)


def _line(row: dict[str, float]) -> str:
    reached = ""
    if "success" in row:
        reached = (
            f"success {row['success']:.2f}   median error {row['median_final_error_m']:.3f} m   "
        )
    return (
        f"{row['update']:8.0f} updates {row['minutes']:6.1f} min   "
        f"return {row['mean_return']:6.1f}   {reached}Q {row['q']:.1f}   |F| {row['f_norm']:.1f}"
    )


def _show(result: Result) -> str:
    return "last  " + _line(result["last"]) + "\nbest  " + _line(result["best"])


COMMAND = Command(config=TrainConfig, run=train, show=_show)
