"""`fb_ros compare`: training runs against each other on their robot's benchmark tasks."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
import torch
import tyro

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from sim.ranges import require_episodes, require_seed
from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from sim.robots.start import Start
from sim.tasks.reward_tasks import RewardTask, reward_tasks
from sim.tasks.tasks import EPISODE_SECONDS, REACH
from training.agents.agent_networks import Networks
from training.agents.td3_config import Td3Config
from training.agents.topline_actor import TOPLINE, load_topline
from training.comparison.interval import interquartile_mean
from training.comparison.plot_curves import plot_curves, require_picture
from training.comparison.run_groups import group_runs
from training.compute import arithmetic
from training.data.data import Transitions
from training.data.fingerprint import data_fingerprint
from training.evaluation.reach_evaluation import ReachEvaluation
from training.evaluation.task_evaluation import TaskEvaluation, task_returns
from training.networks.weights import load_weights, read_weights
from training.runs.run_record import BEST, LAST, agent_of, read_run

_WEIGHTS = {"last": LAST, "best": BEST}

Returns = dict[str, np.ndarray]
"""The returns of each task's episodes."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompareConfig(CommandConfig):
    """Evaluate runs of `fb_ros train` and `fb_ros topline` on a robot's benchmark tasks.

    Runs that differ in their seed alone are taken together, and the others told apart. Prints the
    return of each task, last and best, and the interquartile mean of return over episode length
    with its 95 % bootstrap interval. `--plot` draws their learning curves.
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Folders of training runs, of one robot."""
    data: tuple[Path, ...]
    """Data, as a rule those that they were trained on; tasks are encoded from its states."""
    tasks: tuple[str, ...] = ()
    """Tasks; none: all of the robot's benchmark. An arm has `reach`, too: random goals."""
    episodes: int = 10
    """Episodes of each task."""
    seed: int = 0
    """Seed of the states and of the episodes' starts."""
    start: Start = "benchmark"
    """Where episodes of a robot with legs start: as its benchmark has it, or `standing`."""
    threads: int = 1
    """CPU threads; small networks gain nothing from more."""
    eval_samples: int = 0
    """`M` of evaluation-based sampling for the advantage-weighted runs; 0: what they name."""
    plot: Path | None = None
    """Picture (PNG or SVG) of the runs' learning curves."""

    def __post_init__(self) -> None:
        require_episodes(self.episodes)
        require_seed(self.seed)
        if self.eval_samples < 0:
            raise FbRosError(f"eval_samples is {self.eval_samples}, expected at least 0")
        if not self.runs:
            raise FbRosError("there are no runs to compare; name their folders before the options")
        if self.plot is not None:
            require_picture(self.plot)


class _Bench(NamedTuple):
    """What all runs are held to."""

    config: CompareConfig
    environment: Environment
    data: Transitions
    tasks: tuple[RewardTask, ...]


@torch.no_grad()
def compare(config: CompareConfig) -> Result:
    """Returns of all runs, and what they come to for each algorithm."""
    arithmetic.set_up(config.threads)
    runs = {folder: read_run(folder) for folder in config.runs}
    robots = {str(run["robot"]) for run in runs.values()}
    if len(robots) > 1:
        raise FbRosError(f"the runs are of {', '.join(sorted(robots))}; compare those of one")
    labels = group_runs(runs)
    environment = make_environment(robots.pop(), config.start)
    reaches = REACH in config.tasks
    if reaches and not environment.confined:
        raise FbRosError(
            f"robot {environment.spec.name} has no goals to {REACH}; leave it out of the tasks"
        )
    names = tuple(name for name in config.tasks if name != REACH)
    tasks = reward_tasks(environment.spec.name, names) if names or not reaches else ()
    data = Transitions(config.data, environment.spec)
    fingerprint = data_fingerprint(config.data)
    for folder, run in runs.items():
        if run["data"]["fingerprint"] != fingerprint and run.get("algorithm") != TOPLINE:
            print(
                f"{folder} was trained on other data; its tasks are encoded from states that it "
                "has not seen",
                file=sys.stderr,
            )
    if config.plot is not None:
        plot_curves(config.plot, [(labels[folder], run) for folder, run in runs.items()])
    bench = _Bench(config, environment, data, tasks)
    rows = [
        {"run": str(folder), "seed": run["seed"], "algorithm": labels[folder], **row}
        for folder, run in runs.items()
        for row in _returns(bench, folder, run)
    ]
    steps = {task.name: task.steps for task in tasks}
    if reaches:
        steps = {REACH: round(EPISODE_SECONDS / environment.spec.ctrl_dt), **steps}
    return {
        "robot": environment.spec.name,
        "start": config.start,
        "episodes": config.episodes,
        "rows": rows,
        "algorithms": _summary(rows, steps),
    }


def _returns(bench: _Bench, folder: Path, run: Result) -> Iterator[dict[str, Any]]:
    """The mean return of each task that the run knows of, for the last and the best weights."""
    returns = _topline_returns if run.get("algorithm") == TOPLINE else _zero_shot_returns
    for name, found in returns(bench, folder, run):
        for task, values in found.items():
            yield {"weights": name, "task": task, "return": float(np.mean(values))}


def _topline_returns(bench: _Bench, folder: Path, run: Result) -> Iterator[tuple[str, Returns]]:
    config, environment, spec = bench.config, bench.environment, bench.environment.spec
    for name, file in _WEIGHTS.items():
        # As the agent is read: another version's settings are refused by name.
        agent = load_topline(_td3_of(run, folder), spec.obs_dim, spec.act_dim, folder / file)
        action_of = agent.policy().action
        own = [task for task in bench.tasks if task.name == run["task"]]
        yield (
            name,
            {
                task.name: task_returns(
                    environment, task, action_of, episodes=config.episodes, seed=config.seed
                )
                for task in own
            },
        )


def _zero_shot_returns(bench: _Bench, folder: Path, run: Result) -> Iterator[tuple[str, Returns]]:
    config, environment, data = bench.config, bench.environment, bench.data
    settings = agent_of(run, folder)
    if config.eval_samples:
        settings = dataclasses.replace(settings, eval_samples=config.eval_samples)
    networks = Networks(settings, environment.spec)
    reaching = benchmark = None
    if REACH in config.tasks:
        reaching = ReachEvaluation(settings, environment, data, seed=config.seed)
    if bench.tasks:
        names = [task.name for task in bench.tasks]
        benchmark = TaskEvaluation(settings, environment, data, seed=config.seed, tasks=names)
    for name, file in _WEIGHTS.items():
        load_weights(networks, read_weights(folder / file), folder / file)
        found: Returns = {}
        if reaching is not None:
            found[REACH] = np.array([reaching(networks, config.episodes)["mean_return"]])
        if benchmark is not None:
            title = f"{folder.name} {name}"
            found |= benchmark.returns(networks, config.episodes, title=title)
        yield name, found


def _td3_of(run: Result, folder: Path) -> Td3Config:
    try:
        return Td3Config(**run["agent"])
    except (KeyError, TypeError) as error:
        raise FbRosError(
            f"{folder} is not of this version of fb_ros ({error}); train anew"
        ) from error


def _summary(rows: list[dict[str, Any]], steps: dict[str, int]) -> list[dict[str, Any]]:
    """For each algorithm and its last and best weights: returns by task, and the mean of scores.

    `steps` are those of each task's episodes. A score is a return over the longest possible one,
    from 0 to 1.
    """
    summary = []
    for algorithm in dict.fromkeys(row["algorithm"] for row in rows):
        for weights in _WEIGHTS:
            mine = [
                row for row in rows if (row["algorithm"], row["weights"]) == (algorithm, weights)
            ]
            # A topline has a run for each task; those of one seed stand for one agent.
            seeds = sorted({row["seed"] for row in mine})
            by_task = {
                name: [row["return"] for row in mine if row["task"] == name] for name in steps
            }
            entry: dict[str, Any] = {
                "algorithm": algorithm,
                "weights": weights,
                "runs": len(seeds),
                "returns": {
                    name: float(np.mean(values)) for name, values in by_task.items() if values
                },
            }
            if all(len(values) == len(seeds) for values in by_task.values()):
                scores = np.stack(
                    [np.array(by_task[name]) / count for name, count in steps.items()], axis=1
                )
                entry |= interquartile_mean(scores)._asdict()
            summary.append(entry)
    return summary


def _show(result: Result) -> str:
    names = list(dict.fromkeys(row["task"] for row in result["rows"]))
    wide = max(10, *(len(entry["algorithm"]) for entry in result["algorithms"]))
    lines = [
        f"{result['robot']}, {result['episodes']} episodes a task"
        + (", from its feet" if result["start"] == "standing" else "")
        + ", mean return over runs"
    ]
    lines.append(
        f"{'algorithm':<{wide}} {'weights':<8} {'runs':>4}"
        + "".join(f"{name:>20}" for name in names)
        + "   IQM of return / steps"
    )
    for entry in result["algorithms"]:
        cells = "".join(
            f"{entry['returns'][name]:20.1f}" if name in entry["returns"] else f"{'-':>20}"
            for name in names
        )
        shown = ""
        if "iqm" in entry:
            shown = f"{entry['iqm']:.3f}"
            if entry["low"] is not None:
                shown += f" [{entry['low']:.3f}, {entry['high']:.3f}]"
        lines.append(
            f"{entry['algorithm']:<{wide}} {entry['weights']:<8} {entry['runs']:>4}"
            f"{cells}   {shown}"
        )
    return "\n".join(lines)


COMMAND = Command(config=CompareConfig, run=compare, show=_show)
