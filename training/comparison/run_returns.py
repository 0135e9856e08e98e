"""Returns of each training run on the benchmark tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fb_ros.command import Result
from sim.robots.environment import Environment
from sim.tasks.reward_tasks import RewardTask
from sim.tasks.tasks import REACH
from training.agents.agent_networks import Networks
from training.agents.td3_config import Td3Config
from training.agents.topline_actor import TOPLINE, load_topline
from training.data.data import Transitions
from training.evaluation.reach_evaluation import ReachEvaluation
from training.evaluation.task_evaluation import TaskEvaluation, task_returns
from training.networks.weights import load_weights, read_weights
from training.runs.run_record import BEST, LAST, agent_of, of_this_version
from training.runs.verify_records import verify_settings

WEIGHTS = {"last": LAST, "best": BEST}
"""Files of the weights that are compared, by name."""

Returns = dict[str, np.ndarray]
"""The returns of each task's episodes."""


class Bench(NamedTuple):
    """The tasks and settings for comparing all runs."""

    environment: Environment
    data: Transitions
    tasks: tuple[RewardTask, ...]
    """Benchmark tasks."""
    reaches: bool
    """Whether the comparison includes reaching for random goals."""
    episodes: int
    """Episodes per task."""
    seed: int
    """Seed of the episodes' initial states."""
    eval_samples: int
    """`M` of evaluation-based sampling; 0: each run's own setting."""


def run_returns(bench: Bench, folder: Path, run: Result) -> Iterator[dict[str, Any]]:
    """The mean return of each task of the run, for the last and the best weights."""
    returns = _topline_returns if run.get("algorithm") == TOPLINE else _zero_shot_returns
    for name, found in returns(bench, folder, run):
        for task, values in found.items():
            yield {"weights": name, "task": task, "return": float(np.mean(values))}


def _topline_returns(bench: Bench, folder: Path, run: Result) -> Iterator[tuple[str, Returns]]:
    environment, spec = bench.environment, bench.environment.spec
    for name, file in WEIGHTS.items():
        # Settings are read as the agent's are: another version's are refused by name.
        agent = load_topline(_td3_of(run, folder), spec.obs_dim, spec.act_dim, folder / file)
        action_of = agent.policy().action
        own = [task for task in bench.tasks if task.name == run["task"]]
        yield (
            name,
            {
                task.name: task_returns(
                    environment, task, action_of, episodes=bench.episodes, seed=bench.seed
                )
                for task in own
            },
        )


def _zero_shot_returns(bench: Bench, folder: Path, run: Result) -> Iterator[tuple[str, Returns]]:
    environment, data = bench.environment, bench.data
    settings = agent_of(run, folder)
    if bench.eval_samples:
        settings = dataclasses.replace(settings, eval_samples=bench.eval_samples)
    networks = Networks(settings, environment.spec)
    reaching = benchmark = None
    if bench.reaches:
        reaching = ReachEvaluation(settings, environment, data, seed=bench.seed)
    if bench.tasks:
        names = [task.name for task in bench.tasks]
        benchmark = TaskEvaluation(settings, environment, data, seed=bench.seed, tasks=names)
    for name, file in WEIGHTS.items():
        load_weights(networks, read_weights(folder / file), folder / file)
        found: Returns = {}
        if reaching is not None:
            found[REACH] = np.array([reaching(networks, bench.episodes)["mean_return"]])
        if benchmark is not None:
            title = f"{folder.name} {name}"
            found |= benchmark.returns(networks, bench.episodes, title=title)
        yield name, found


def _td3_of(run: Result, folder: Path) -> Td3Config:
    with of_this_version(folder):
        verify_settings(Td3Config, run["agent"])
        return Td3Config(**run["agent"])
