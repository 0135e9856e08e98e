"""`fb_ros collect`: exploratory data of a simulated robot, in ExORL's layout."""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fb_ros.bundle import load_bundle
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.paths import find_bundle
from fb_ros.robot_state import RobotState
from sim.environment import Environment
from sim.progress import progress_bar
from sim.ranges import require_seed
from sim.registry import make_environment, require_robot
from training.episode import episode_index, save_episode
from training.exploration import ExplorationConfig, explore
from training.goal_seeker import GoalSeeker
from training.record import read_record, write_record
from training.rollout import replay, rollout

METADATA = "data.json"


@dataclasses.dataclass(frozen=True, kw_only=True)
class CollectConfig(CommandConfig):
    """Collect episodes of random, temporally correlated actions.

    Episode `i` depends on the seed and on `i` alone, so the data do not depend on the number of
    workers, and a run that was interrupted is continued by the same command.
    """

    robot: str = "jaco"
    """Robot to simulate."""
    out: Path = Path("data/jaco")
    """Folder for the episodes."""
    episodes: int = 6000
    """Number of episodes."""
    episode_steps: int = 100
    """Longest episode, in control periods."""
    margin: float = 0.1
    """An episode ends, in a terminal state, when the goal feature is further than this outside the
    goal box."""
    seed: int = 0
    """Seed of the whole data set."""
    workers: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)
    """Processes."""
    explore: ExplorationConfig = dataclasses.field(default_factory=ExplorationConfig)
    """How random actions are drawn."""
    policy: Path | None = None
    """Bundle of an earlier model that goes for random goals, so that the states it gets into are
    in the data; its actions are mixed with random ones. None for random actions alone."""
    goal_steps: float = 80.0
    """Mean number of control periods between that model's goals (geometric)."""

    def __post_init__(self) -> None:
        require_robot(self.robot)
        require_seed(self.seed)
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
    present = {episode_index(path) for path in config.out.glob("episode_*.npz")}
    missing = [index for index in range(config.episodes) if index not in present]
    start, steps = time.perf_counter(), 0
    progress = progress_bar(title=f"collect {config.robot}", unit="episode", total=len(missing))
    with progress:
        for count in _episodes(config, missing):
            steps += count
            progress.update()
    seconds = time.perf_counter() - start
    return {
        "robot": config.robot,
        "episodes": len(missing),
        "transitions": steps,
        "seconds": seconds,
        "per_s": steps / seconds if missing else 0.0,
        "out": str(config.out),
    }


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
    if path.exists() and read_record(path) != described:
        raise FbRosError(
            f"{config.out} holds data of other settings ({path}); choose another --out"
        )
    write_record(path, described)


def _episodes(config: CollectConfig, indices: list[int]) -> Iterator[int]:
    if config.workers == 1:
        worker = _Worker(config)
        yield from map(worker.run, indices)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(config.workers, _start_worker, (config,)) as pool:
        yield from pool.imap_unordered(_run_in_worker, indices, chunksize=8)


class _Worker:
    def __init__(self, config: CollectConfig) -> None:
        self._config = config
        self._environment: Environment = make_environment(config.robot)
        spec = self._environment.spec
        self._goal = spec.feature(spec.goal_feature)
        self._low = np.asarray(spec.goal_low) - config.margin
        self._high = np.asarray(spec.goal_high) + config.margin
        self._goal_seeker = GoalSeeker(config.policy) if config.policy else None

    def run(self, index: int) -> int:
        config = self._config
        rng = np.random.RandomState(np.random.SeedSequence([config.seed, index]).generate_state(4))
        self._environment.reset(rng)
        spec = self._environment.spec
        actions = explore(rng, config.explore, config.episode_steps, spec.act_dim)
        controller = replay(actions)
        if self._goal_seeker:
            controller = self._goal_seeker.controller(rng, actions, config.goal_steps)
        episode = rollout(self._environment, controller, config.episode_steps, stop=self._outside)
        save_episode(config.out, index, episode)
        return episode.steps

    def _outside(self, state: RobotState) -> bool:
        position = self._goal.encode(state)
        return bool(np.any(position < self._low) or np.any(position > self._high))


_worker: _Worker | None = None


def _start_worker(config: CollectConfig) -> None:
    global _worker
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
