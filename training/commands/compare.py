"""`fb_ros compare`: training runs against each other on their robot's benchmark tasks."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import torch
import tyro

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.settings import require_at_least
from sim.ranges import require_episodes, require_seed
from sim.robots.registry import make_environment
from sim.robots.start import Start
from sim.tasks.reward_tasks import reward_tasks
from sim.tasks.tasks import EPISODE_SECONDS, REACH
from training.agents.topline_actor import TOPLINE
from training.comparison.plot_curves import plot_curves, require_picture
from training.comparison.run_groups import group_runs
from training.comparison.run_returns import Bench, run_returns
from training.comparison.summary import summary
from training.compute import arithmetic
from training.data.data import Transitions
from training.data.fingerprint import data_fingerprint
from training.runs.run_record import read_run


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompareConfig(CommandConfig):
    """Evaluate runs of `fb_ros train` and `fb_ros topline` on a robot's benchmark tasks.

    Runs that differ only in their seed form one group. Prints the return of each task, last and
    best, and the interquartile mean of return over episode length with its 95 % bootstrap
    interval. `--plot` draws their learning curves.
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """Folders of training runs, of one robot."""
    data: tuple[Path, ...]
    """Data whose states encode the tasks, usually those that the runs were trained on."""
    tasks: tuple[str, ...] = ()
    """Tasks; none: all of the robot's benchmark. An arm also has `reach`: random goals."""
    episodes: int = 10
    """Episodes per task."""
    seed: int = 0
    """Seed of the sampled states and of the episodes' initial states."""
    start: Start = "benchmark"
    """Initial states of a robot with legs: those of its benchmark, or `standing`."""
    threads: int = 1
    """CPU threads; small networks gain nothing from more."""
    eval_samples: int = 0
    """`M` of evaluation-based sampling for the advantage-weighted runs; 0: each run's own
    setting."""
    plot: Path | None = None
    """Picture (PNG or SVG) of the runs' learning curves."""

    def __post_init__(self) -> None:
        require_episodes(self.episodes)
        require_seed(self.seed)
        require_at_least(self, 0, "eval_samples")
        if not self.runs:
            raise FbRosError("there are no runs to compare; name their folders before the options")
        if self.plot is not None:
            require_picture(self.plot)


@torch.no_grad()
def compare(config: CompareConfig) -> Result:
    """Returns the returns of all runs, and a summary for each algorithm."""
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
    bench = Bench(
        environment=environment,
        data=data,
        tasks=tasks,
        reaches=reaches,
        episodes=config.episodes,
        seed=config.seed,
        eval_samples=config.eval_samples,
    )
    rows = [
        {"run": str(folder), "seed": run["seed"], "algorithm": labels[folder], **row}
        for folder, run in runs.items()
        for row in run_returns(bench, folder, run)
    ]
    steps = {task.name: task.steps for task in tasks}
    if reaches:
        steps = {REACH: round(EPISODE_SECONDS / environment.spec.ctrl_dt), **steps}
    return {
        "robot": environment.spec.name,
        "start": config.start,
        "episodes": config.episodes,
        "rows": rows,
        "algorithms": summary(rows, steps),
    }


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
