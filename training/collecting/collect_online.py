"""Collecting by agents that learn meanwhile: RND, and mixed-objective data (MOOD)."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from fb_ros.errors import FbRosError
from fb_ros.whole_file import whole_file
from sim.progress import progress_bar
from sim.robots.registry import make_environment
from sim.tasks.reward_tasks import reward_tasks
from training.agents.rnd import RandomNetworkDistillation
from training.agents.td3 import RewardedBatch, Td3, load_tensors, normalizer_of, tensors_of
from training.collecting.collect_config import CollectConfig
from training.collecting.online_worker import Done, Job, OnlineWorker, WorkerConfig
from training.collecting.replay import ReplayBuffer
from training.collecting.worker_process import run_in_worker, start_worker
from training.compute import arithmetic
from training.data.episode import episode_index, episode_path, episode_paths, load_episode
from training.data.moments import Moments
from training.data.record import write_record

AGENT = "agent.safetensors"
TASKS = "tasks"
POOL = "pool.json"

RunJobs = Callable[[list[Job]], Iterator[Done]]


def collect_online(config: CollectConfig) -> tuple[int, int]:
    """Collects the missing episodes; returns their number and their transitions."""
    arithmetic.set_up(threads=1)  # Another order of sums would make other data.
    with _workers(config) as run:
        if config.method == "rnd":
            return OnlineAgent(config, config.out, "").collect(config.episodes, run)
        tasks = reward_tasks(config.robot, config.tasks)
        each = -(-config.episodes // len(tasks))
        episodes = steps = 0
        for task in tasks:
            folder = config.out / TASKS / task.name
            folder.mkdir(parents=True, exist_ok=True)
            made = OnlineAgent(config, folder, task.name).collect(each, run)
            episodes, steps = episodes + made[0], steps + made[1]
    _pool(config, [task.name for task in tasks])
    return episodes, steps


class OnlineAgent:
    """A TD3 agent, and the folder of the data that it has collected so far.

    It collects in rounds: all episodes of a round use the agent from before the round, then the
    agent learns from all data so far. After each round its whole state is on disk, so that an
    interrupted run continues to the same data.
    """

    def __init__(self, config: CollectConfig, folder: Path, task: str) -> None:
        """`task` is the reward to learn; an empty one means that of random network
        distillation."""
        self._config, self._folder, self._task = config, folder, task
        spec = make_environment(config.robot).spec
        torch.manual_seed(config.seed)
        online = config.online
        nothing = normalizer_of(np.zeros(spec.obs_dim), np.ones(spec.obs_dim))
        self._agent = Td3(online.td3, spec.obs_dim, spec.act_dim, nothing)
        self._modules = self._agent.modules()
        self._optimizers = self._agent.optimizers()
        self._rnd: RandomNetworkDistillation | None = None
        if not task:
            self._rnd = RandomNetworkDistillation(spec.obs_dim, online.td3.hidden)
            self._modules["rnd"] = self._rnd
            self._optimizers["rnd"] = torch.optim.Adam(
                self._rnd.predictor.parameters(), lr=online.td3.learning_rate
            )
        self._generator = torch.Generator().manual_seed(config.seed)
        self._replay = ReplayBuffer(online.capacity, spec.obs_dim, spec.act_dim)

    def collect(self, episodes: int, run: RunJobs) -> tuple[int, int]:
        """Collects up to `episodes` in all; returns how many were missing, and their steps."""
        done = self._resume()
        missing, steps = max(0, episodes - done), 0
        title = f"collect {self._config.robot}: {self._task or 'rnd'}"
        progress = progress_bar(title=title, unit="episode", total=episodes)
        with progress:
            progress.update(done)
            while done < episodes:
                policy = None
                if len(self._replay) >= self._config.online.warm_up:
                    policy = self._agent.policy()
                last = min(done + self._config.online.round_episodes, episodes)
                jobs = [Job(self._folder, n, policy, self._task) for n in range(done, last)]
                fresh = 0
                for finished in run(jobs):
                    self._replay.add(load_episode(finished.path))
                    fresh += finished.steps
                    progress.update()
                done, steps = last, steps + fresh
                figures = self._learn(fresh)
                progress.set_postfix(figures)
                self._save(done)
        return missing, steps

    def _learn(self, fresh: int) -> dict[str, str]:
        online = self._config.online
        if len(self._replay) < online.warm_up:
            return {}
        moments = self._replay.moments
        fitted = normalizer_of(moments.mean, moments.std)
        self._agent.normalizer.load_state_dict(fitted.state_dict())
        rewards: list[float] = []
        for _ in range(round(fresh * online.updates_per_step)):
            batch = self._rewarded(self._replay.sample(online.td3.batch, self._generator))
            figures = self._agent.update(batch, self._generator)
            rewards.append(float(batch.reward.mean()))
            q = float(figures["q"])
            if not np.isfinite(q):
                raise FbRosError(
                    f"{self._folder}: the agent diverged (Q is {q}); lower "
                    "--online.td3.learning-rate and start in another folder"
                )
        return {"reward": f"{np.mean(rewards):.3f}"} if rewards else {}

    def _rewarded(self, batch: RewardedBatch) -> RewardedBatch:
        if self._rnd is None:
            return batch
        seen = self._agent.normalizer(batch.next_observation)
        bonus = self._rnd.learn(seen, self._optimizers["rnd"])
        return dataclasses.replace(batch, reward=bonus)

    def _save(self, done: int) -> None:
        """Writes the agent's whole state, completely or not at all."""
        tensors = tensors_of(self._modules, self._optimizers)
        tensors["generator"] = self._generator.get_state()
        moments = self._replay.moments
        tensors["moments.mean"] = torch.from_numpy(moments.mean)
        tensors["moments.squares"] = torch.from_numpy(moments.squares)
        path = self._folder / AGENT
        with whole_file(path) as partial:
            save_file(tensors, partial, {"episodes": str(done), "rows": str(moments.count)})

    def _resume(self) -> int:
        """Continues from the last complete round; returns the number of episodes there are."""
        path = self._folder / AGENT
        done = 0
        if path.exists():
            try:
                with safe_open(path, "pt") as file:
                    tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                    said = file.metadata()
                load_tensors(tensors, self._modules, self._optimizers)
                done, rows = int(said["episodes"]), int(said["rows"])
            except (SafetensorError, KeyError, RuntimeError, OSError) as error:
                reason = " ".join(str(error).split())
                raise FbRosError(
                    f"{path} does not fit these settings ({reason}); collect into another folder"
                ) from error
            self._generator.set_state(tensors["generator"])
        # An interrupted round is collected again.
        for path in episode_paths(self._folder):
            if episode_index(path) >= done:
                path.unlink()
        present = episode_paths(self._folder)
        if len(present) != done:
            raise FbRosError(
                f"{self._folder} holds {len(present)} of the {done} episodes that its agent has "
                "seen; collect into another folder"
            )
        for path in present:
            self._replay.add(load_episode(path))
        if done:
            self._replay.moments = Moments(
                count=rows,
                mean=tensors["moments.mean"].numpy(),
                squares=tensors["moments.squares"].numpy(),
            )
        return done


def _pool(config: CollectConfig, tasks: list[str]) -> None:
    """Links each task's episodes of the highest return into one folder of data."""
    for path in episode_paths(config.out):
        path.unlink()
    record: dict[str, object] = {}
    index = 0
    for task in tasks:
        found = [
            (float(load_episode(path).reward.sum()), path)
            for path in episode_paths(config.out / TASKS / task)
        ]
        found.sort(key=lambda entry: (-entry[0], entry[1]))
        kept = found[: max(1, round(config.keep_share * len(found)))]
        for _, path in kept:
            steps = int(path.stem.split("_")[-1])
            _link(path, episode_path(config.out, index, steps))
            index += 1
        record[task] = {
            "episodes": len(found),
            "kept": len(kept),
            "mean_return": float(np.mean([entry[0] for entry in found])),
            "mean_return_of_kept": float(np.mean([entry[0] for entry in kept])),
        }
    write_record(config.out / POOL, record)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # A file system without hard links.
        shutil.copyfile(source, target)


@contextmanager
def _workers(config: CollectConfig) -> Iterator[RunJobs]:
    """Yields a function that runs jobs, in their order."""
    described = WorkerConfig(
        robot=config.robot,
        start=config.start,
        seed=config.seed,
        steps=config.episode_steps,
        margin=config.margin,
        noise=config.online.noise,
        explore=config.explore,
    )
    if config.workers == 1:
        worker = OnlineWorker(described)
        yield lambda jobs: map(worker.run, jobs)
        return
    context = multiprocessing.get_context("spawn")
    with context.Pool(config.workers, start_worker, (OnlineWorker, described)) as pool:
        yield lambda jobs: pool.imap(run_in_worker, jobs)
