"""`fb_ros collect`: exploratory data of a simulated robot, in ExORL's layout."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from fb_ros.bundle import load_bundle
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.paths import find_bundle
from sim.environment import Environment
from sim.progress import progress_bar
from sim.ranges import require_seed
from sim.registry import make_environment, require_robot
from sim.reward_tasks import reward_tasks
from training.episode import episode_index, save_episode
from training.exploration import ExplorationConfig, explore
from training.goal_seeker import GoalSeeker
from training.record import read_record, write_record
from training.rollout import replay, rollout, stop_outside
from training.td3_config import Td3Config

METADATA = "data.json"
# Episodes that a process takes at a time.
CHUNK = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnlineConfig:
    """How an agent learns while it collects."""

    td3: Td3Config = dataclasses.field(default_factory=Td3Config)
    """The agent."""
    warm_up: int = 10_000
    """Transitions of random motion before it acts and learns."""
    updates_per_step: float = 0.125
    """Updates for each transition."""
    round_episodes: int = 8
    """Episodes that one state of the agent collects, at the same time."""
    noise: float = 0.2
    """Standard deviation of the noise on its actions."""
    capacity: int = 1_000_000
    """Newest transitions that it learns from."""

    def __post_init__(self) -> None:
        for name in ("warm_up", "round_episodes", "capacity"):
            if getattr(self, name) < 1:
                raise FbRosError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.updates_per_step <= 0.0:
            raise FbRosError(f"updates_per_step is {self.updates_per_step}, expected above 0")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CollectConfig(CommandConfig):
    """Collect episodes: of random motion, of an explorer, or of agents at several tasks.

    The data depend on the seed and the settings, and not on the number of workers. A run that was
    interrupted is continued by the same command.
    """

    robot: str = "jaco"
    """Robot to simulate."""
    method: Literal["noise", "rnd", "mood"] = "noise"
    """`noise`: random, temporally correlated actions. `rnd`: an agent that learns on the way to
    go where it has not been (random network distillation). `mood`: an agent for each of `tasks`,
    whose episodes of the highest return are pooled (mixed-objective data)."""
    out: Path = Path("data/jaco")
    """Folder for the episodes."""
    episodes: int = 6000
    """Number of episodes."""
    episode_steps: int = 100
    """Longest episode, in control periods."""
    margin: float = 0.1
    """An episode ends, in a terminal state, when the goal feature is further than this outside the
    goal box; robots that move about may go anywhere."""
    seed: int = 0
    """Seed of the whole data set."""
    workers: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)
    """Processes."""
    explore: ExplorationConfig = dataclasses.field(default_factory=ExplorationConfig)
    """How random actions are drawn."""
    online: OnlineConfig = dataclasses.field(default_factory=OnlineConfig)
    """The agents of `rnd` and `mood`."""
    tasks: tuple[str, ...] = ()
    """Tasks of `mood`; none: all that the robot has."""
    keep_share: float = 0.25
    """Share of each task's episodes that `mood` keeps."""
    policy: Path | None = None
    """Bundle of an earlier model that goes for random goals, so that the states it gets into are
    in the data; its actions are mixed with random ones. None for random actions alone."""
    goal_steps: float = 80.0
    """Mean number of control periods between that model's goals (geometric)."""

    def __post_init__(self) -> None:
        require_robot(self.robot)
        require_seed(self.seed)
        if self.method != "noise" and self.policy:
            raise FbRosError(f"policy goes with the method noise, not with {self.method}")
        if self.method == "mood" or self.tasks:
            reward_tasks(self.robot, self.tasks)
        if not 0.0 < self.keep_share <= 1.0:
            raise FbRosError(f"keep_share is {self.keep_share}, expected above 0 and up to 1")
        if not self.goal_steps >= 1.0:
            raise FbRosError(f"goal_steps is {self.goal_steps}, expected at least 1")
        for name in ("episodes", "episode_steps", "workers"):
            if getattr(self, name) < 1:
                raise FbRosError(f"{name} is {getattr(self, name)}, expected at least 1")


def collect(config: CollectConfig) -> Result:
    """Writes the missing episodes and the description of the data; returns the figures."""
    if config.policy:
        bundle = find_bundle(config.policy)
        config = dataclasses.replace(config, policy=bundle)
        # Tried out here: a worker that fails to start would be started anew for ever.
        robot = GoalSeeker(bundle).robot.name
        if robot != config.robot:
            raise FbRosError(f"{config.policy} is a model of {robot}, not of {config.robot}")
    config.out.mkdir(parents=True, exist_ok=True)
    _refuse_other_data(config)
    start = time.perf_counter()
    if config.method == "noise":
        episodes, steps = _collect_noise(config)
    else:
        # Imported here: random motion needs no torch.
        try:
            from training.collect_online import collect_online
        except ModuleNotFoundError as error:
            raise FbRosError(
                f"the Python package {error.name} is missing; install it with "
                "`pip install 'fb_ros[train]'`"
            ) from error
        episodes, steps = collect_online(config)
    seconds = time.perf_counter() - start
    return {
        "robot": config.robot,
        "method": config.method,
        "episodes": episodes,
        "transitions": steps,
        "seconds": seconds,
        "per_s": steps / seconds if episodes else 0.0,
        "out": str(config.out),
    }


def _collect_noise(config: CollectConfig) -> tuple[int, int]:
    """Collects the missing episodes; returns how many, and their transitions."""
    present = {episode_index(path) for path in config.out.glob("episode_*.npz")}
    missing = [index for index in range(config.episodes) if index not in present]
    steps = 0
    progress = progress_bar(title=f"collect {config.robot}", unit="episode", total=len(missing))
    with progress:
        for count in episodes_of(config, missing):
            steps += count
            progress.update()
    return len(missing), steps


def data_fingerprint(folders: Sequence[Path]) -> str:
    """SHA-256 over the names and the contents of the folders' episodes, in order."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("episode_*.npz")):
            digest.update(path.name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _refuse_other_data(config: CollectConfig) -> None:
    described = dataclasses.asdict(config)
    for changeable in ("out", "workers", "episodes", "json"):
        del described[changeable]
    # The model's id and not its path, which may hold another model tomorrow.
    described["policy"] = load_bundle(config.policy).model_id if config.policy else None
    path = config.out / METADATA
    # What older records do not know of was as it is by default now.
    known = dataclasses.asdict(CollectConfig())
    if path.exists() and _plain({**known, **read_record(path)}) != _plain({**known, **described}):
        raise FbRosError(
            f"{config.out} holds data of other settings ({path}); choose another --out"
        )
    write_record(path, described)


def _plain(record: dict[str, Any]) -> Any:
    """As it is when it comes back from a file."""
    return json.loads(json.dumps(record, default=str))


def episodes_of(config: CollectConfig, indices: Sequence[int]) -> Iterator[int]:
    """Collects random episodes and yields the transitions of each, in any order."""
    if config.workers == 1:
        worker = _Worker(config)
        yield from map(worker.run, indices)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(config.workers, _start_worker, (config,)) as pool:
        yield from pool.imap_unordered(_run_in_worker, indices, chunksize=CHUNK)


class _Worker:
    def __init__(self, config: CollectConfig) -> None:
        self._config = config
        self._environment: Environment = make_environment(config.robot)
        self._goal_seeker = GoalSeeker(config.policy) if config.policy else None

    def run(self, index: int) -> int:
        config = self._config
        environment = self._environment
        rng = np.random.RandomState(np.random.SeedSequence([config.seed, index]).generate_state(4))
        environment.reset(rng)
        actions = explore(rng, config.explore, config.episode_steps, environment.spec.act_dim)
        stop = stop_outside(environment, config.margin)
        if self._goal_seeker:
            controller = self._goal_seeker.controller(rng, actions, config.goal_steps)
            episode = rollout(environment, controller, config.episode_steps, stop=stop)
        else:
            episode = replay(environment, actions, stop=stop)
        save_episode(config.out, index, episode)
        return episode.steps


_worker: _Worker | None = None


def _start_worker(config: CollectConfig) -> None:
    global _worker
    # Ctrl-C goes to the whole group; the process that started this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _worker = _Worker(config)


def _run_in_worker(index: int) -> int:
    assert _worker is not None
    return _worker.run(index)


def _show(result: Result) -> str:
    return (
        f"{result['out']}: {result['episodes']} episodes, {result['transitions']} transitions in "
        f"{result['seconds']:.0f} s ({result['per_s']:.0f} a second)"
    )


COMMAND = Command(config=CollectConfig, run=collect, show=_show)
