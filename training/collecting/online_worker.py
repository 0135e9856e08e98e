"""The simulating part of online collecting, in processes without torch."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sim.robots.registry import make_environment
from sim.robots.start import Start
from sim.tasks.reward_tasks import reward_tasks
from training.agents.numpy_policy import NumpyPolicy
from training.collecting.exploration import ExplorationConfig, explore
from training.collecting.rollout import replay, rollout, stop_outside
from training.data.episode import save_episode


class Job(NamedTuple):
    """One episode to collect."""

    folder: Path
    number: int
    policy: NumpyPolicy | None
    """The policy to run; None for random motion."""
    task: str
    """Task whose reward is stored; empty for none."""


class Done(NamedTuple):
    """The outcome of a job."""

    path: Path
    steps: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class WorkerConfig:
    """Settings that all of a run's episodes share."""

    robot: str
    start: Start
    seed: int
    steps: int
    margin: float
    noise: float
    explore: ExplorationConfig


class OnlineWorker:
    """Runs episodes; each depends only on its job and on the seed."""

    def __init__(self, config: WorkerConfig) -> None:
        self._config = config
        self._environment = make_environment(config.robot, config.start)

    def run(self, job: Job) -> Done:
        """Collects one episode and writes it."""
        config, environment = self._config, self._environment
        spec = environment.spec
        seeds = np.random.SeedSequence([config.seed, job.number]).generate_state(4)
        rng = np.random.RandomState(seeds)
        environment.reset(rng)
        stop = stop_outside(environment, config.margin)
        if job.policy is None:
            actions = explore(rng, config.explore, config.steps, spec.act_dim)
            episode = replay(environment, actions, stop=stop)
        else:
            policy = job.policy
            noise = rng.normal(scale=config.noise, size=(config.steps, spec.act_dim))

            def act(step: int, observation: np.ndarray) -> np.ndarray:
                disturbed: np.ndarray = policy.action(observation) + noise[step]
                return disturbed

            episode = rollout(environment, act, config.steps, stop=stop)
        if job.task:
            (task,) = reward_tasks(config.robot, (job.task,))
            rewards = task.rewards(environment, episode.physics).astype(np.float32)
            rewards[0] = 0.0  # No action led to the first state.
            episode = dataclasses.replace(episode, reward=rewards[:, None])
        return Done(save_episode(job.folder, job.number, episode), episode.steps)
