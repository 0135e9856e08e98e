"""`fb_ros collect`: exploratory data of a simulated robot, in ExORL's layout."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fb_ros.bundle import load_bundle
from fb_ros.command import Command, Result
from fb_ros.errors import FbRosError
from fb_ros.paths import find_bundle
from sim.environment import Environment
from sim.progress import progress_bar
from sim.registry import make_environment
from training.collect_config import CollectConfig
from training.episode import episode_index, save_episode
from training.exploration import explore
from training.goal_seeker import GoalSeeker
from training.record import first_difference, read_record, write_record
from training.rollout import replay, rollout, stop_outside
from training.worker_process import run_in_worker, start_worker

METADATA = "data.json"


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
    if path.exists():
        before, now = _plain({**known, **read_record(path)}), _plain({**known, **described})
        name = first_difference(before, now)
        if name:
            raise FbRosError(
                f"{config.out} holds data of other settings, {name} {before.get(name)!r} and "
                f"not {now[name]!r} ({path}); choose another --out"
            )
    write_record(path, described)


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """As it is when it comes back from a file."""
    plain: dict[str, Any] = json.loads(json.dumps(record, default=str))
    return plain


def episodes_of(config: CollectConfig, indices: Sequence[int]) -> Iterator[int]:
    """Collects random episodes and yields the transitions of each, in any order."""
    if config.workers == 1:
        worker = _Worker(config)
        yield from map(worker.run, indices)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(config.workers, start_worker, (_Worker, config)) as pool:
        yield from pool.imap_unordered(run_in_worker, indices)


class _Worker:
    def __init__(self, config: CollectConfig) -> None:
        self._config = config
        self._environment: Environment = make_environment(config.robot, config.start)
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


def _show(result: Result) -> str:
    return (
        f"{result['out']}: {result['episodes']} episodes, {result['transitions']} transitions in "
        f"{result['seconds']:.0f} s ({result['per_s']:.0f} a second)"
    )


COMMAND = Command(config=CollectConfig, run=collect, show=_show)
