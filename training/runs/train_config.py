"""Configuration of `fb_ros train`, and where its defaults come from."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import cast, get_args

from fb_ros.command import CommandConfig
from fb_ros.errors import FbRosError
from fb_ros.settings import require_at_least
from sim.robots.start import Start
from training.agents.agent_config import AgentConfig, Algorithm, require_fields
from training.agents.recipes import Recipe, agent_config, default_algorithm


@dataclasses.dataclass(frozen=True, kw_only=True)
class TrainConfig(CommandConfig):
    """Train a forward-backward model on collected episodes.

    `--agent.algorithm` and `--recipe` choose the defaults of all other settings; with them,
    `--help` shows these. `torchrun --nproc-per-node N -m fb_ros.cli train …` trains with several
    processes, which share the batch.
    """

    data: tuple[Path, ...] = (Path("data/jaco"),)
    """Folders of episodes, as `fb_ros collect` writes them."""
    robot: str = "jaco"
    """Robot that was recorded."""
    out: Path = Path("runs/jaco")
    """Folder for checkpoints, learning curves (CSV and TensorBoard) and videos."""
    resume: bool = False
    """Resume the training in `out`, bit for bit, if there is one."""
    init: Path | None = None
    """Weights of the same sizes to start from: a file of another run, or the folder of a bundle,
    such as a model that ships; none: random weights."""
    recipe: Recipe = "textbook"
    """`textbook`: the algorithm as its papers define it. `reaching`: with the additions that made
    the shipped arm reach. `locomotion`: with those that made a quadruped walk as commanded after
    recordings of its controller (see `docs/algorithms.md`)."""
    updates: int = 40_000
    """Total number of updates."""
    minutes: float = 0.0
    """Stop earlier, after this many minutes; 0: no limit."""
    seed: int = 0
    """Seed of the weights and of the batches."""
    threads: int = 0
    """CPU threads; 0 for PyTorch's choice."""
    device: str = "cpu"
    """Device to compute on: `cpu`, `cuda` or `cuda:N`, or `auto` for `cuda` if there is one. With
    `torchrun`, each process uses its own GPU."""
    log_every: int = 100
    """Updates between rows of `updates.csv`."""
    checkpoint_every: int = 1000
    """Updates between checkpoints; each evaluation also writes one."""
    eval_every: int = 2000
    """Updates between evaluations; the last evaluation is always at the end."""
    eval_goals: int = 50
    """Goals per evaluation during training."""
    eval_seed: int = 1_000_000
    """Seed of those goals, far from the seeds that people evaluate with."""
    eval_tasks: tuple[str, ...] = ()
    """Tasks of an evaluation, for mobile robots; none: all of the robot's benchmark."""
    eval_start: Start = "benchmark"
    """Initial states of a robot with legs in it: those of its benchmark, or `standing`."""
    videos: int = 0
    """Number of goals (or tasks) of each evaluation to film; needs a renderer:
    `MUJOCO_GL=egl fb_ros train …`."""
    divergence: float = 10.0
    """Stop if `F` or `Q` are this many times larger than any policy can make them; 0: never
    (numbers that are not finite always stop the training)."""
    agent: AgentConfig = dataclasses.field(default_factory=agent_config)
    """The agent."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "updates", "log_every", "checkpoint_every")
        require_at_least(self, 1, "eval_every", "eval_goals")
        require_at_least(self, 0, "minutes", "threads", "videos", "divergence")


def default_of(words: Sequence[str]) -> TrainConfig:
    """The default settings for the words on the command line."""
    for word in words:
        if word.startswith("--agent."):
            # As typed: with hyphens, and with `no-` before an option that is switched off.
            name = word.removeprefix("--agent.").split("=")[0].replace("-", "_")
            require_fields([name.removeprefix("no_")])
    recipe = _value(words, "--recipe") or "textbook"
    if recipe not in get_args(Recipe):
        raise FbRosError(f"there is no recipe {recipe!r}; possible: {', '.join(get_args(Recipe))}")
    found = cast(Recipe, recipe)
    algorithm = _value(words, "--agent.algorithm") or default_algorithm(found)
    return TrainConfig(recipe=found, agent=agent_config(cast(Algorithm, algorithm), found))


def _value(words: Sequence[str], flag: str) -> str:
    for index, word in enumerate(words):
        if word.startswith(f"{flag}="):
            return word.removeprefix(f"{flag}=")
        if word == flag and index + 1 < len(words):
            return words[index + 1]
    return ""
