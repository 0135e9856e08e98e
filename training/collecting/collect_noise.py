"""Episodes of random motion, of a model that seeks goals, or of a controller, by workers."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence

import numpy as np

from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from training.collecting.collect_config import CollectConfig
from training.collecting.collect_controller import recorder
from training.collecting.exploration import explore
from training.collecting.goal_seeker import GoalSeeker
from training.collecting.rollout import replay, rollout, stop_outside
from training.collecting.worker_process import run_in_worker, start_worker
from training.data.episode import save_episode


def episodes_of(config: CollectConfig, indices: Sequence[int]) -> Iterator[int]:
    """Collects the episodes `indices` and yields the number of transitions of each, in any
    order."""
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
        self._goal_seeker = (
            GoalSeeker(config.policy, config.reward_share) if config.policy else None
        )
        self._record = recorder(config, self._environment) if config.controller else None

    def run(self, index: int) -> int:
        config = self._config
        environment = self._environment
        rng = np.random.RandomState(np.random.SeedSequence([config.seed, index]).generate_state(4))
        if self._record:
            episode = self._record(rng)
            save_episode(config.out, index, episode)
            return episode.steps
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
