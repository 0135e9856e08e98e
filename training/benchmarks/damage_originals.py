"""The intact files that `fb_ros benchmark damage` damages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import torch

from sim.robots.registry import make_environment
from training.agents.agent import Agent
from training.agents.agent_config import AgentConfig
from training.data.data import Transitions
from training.data.episode import Episode
from training.data.flat_data import in_memory
from training.data.observed_state import features_from_observation

ROBOT, STEPS = "point_mass", 20
CONFIG = AgentConfig(algorithm="fb", d=8, hidden=8, features=("tcp_pos",))


def small_agent() -> Agent:
    """An agent of `CONFIG` before its first update."""
    spec, episode = make_environment(ROBOT).spec, drawn_episode(0)
    flat = in_memory(episode.observation, episode.action, episode.features, episode.discount[:, 0])
    return Agent(CONFIG, spec, Transitions.of(flat, spec), torch.device("cpu"))


def run_of(settings: dict[str, Any]) -> dict[str, Any]:
    """The record of a run whose agent has these settings."""
    return {
        "robot": ROBOT,
        "data": {"fingerprint": "0" * 64, "transitions": 100, "collected_with": []},
        "seed": 0,
        "agent": settings,
        "learning_curve": [{"update": 100.0, "mean_return": 1.0}],
        "updates": 100,
        "last": {"update": 100.0, "mean_return": 1.0},
    }


def drawn_episode(number: int) -> Episode:
    """An episode of `STEPS` random transitions, different for each number."""
    spec, rng = make_environment(ROBOT).spec, np.random.default_rng(number)
    rows = STEPS + 1
    observation = rng.normal(size=(rows, spec.obs_dim)).astype(np.float32)
    action = rng.uniform(-1.0, 1.0, size=(rows, spec.act_dim)).astype(np.float32)
    action[0] = 0.0
    return Episode(
        observation=observation,
        action=action,
        reward=np.zeros((rows, 1), np.float32),
        discount=np.ones((rows, 1), np.float32),
        physics=np.zeros((rows, 0)),
        features=features_from_observation(spec, observation).astype(np.float32),
    )


def write_minari(path: Path, episodes: list[Episode], **options: Any) -> None:
    """Writes the episodes in Minari's layout; `options` are those of HDF5's data sets."""
    with h5py.File(path, "w") as file:
        for number, episode in enumerate(episodes):
            group = file.create_group(f"episode_{number}")
            ends = np.zeros(episode.steps, bool)
            for name, values in (
                ("observations", episode.observation),
                ("actions", episode.action[1:]),
                ("rewards", episode.reward[1:, 0]),
                ("terminations", ends),
                ("truncations", ends),
            ):
                group.create_dataset(name, data=values, **options)


def write_d4rl(path: Path, episodes: list[Episode]) -> None:
    """Writes the episodes in D4RL's layout, all of them cut off by time."""
    with h5py.File(path, "w") as file:
        file["observations"] = np.concatenate([one.observation[:-1] for one in episodes])
        file["actions"] = np.concatenate([one.action[1:] for one in episodes])
        file["rewards"] = np.concatenate([one.reward[1:, 0] for one in episodes])
        ends = np.zeros(STEPS, bool)
        file["terminals"] = np.tile(ends, len(episodes))
        ends[-1] = True
        file["timeouts"] = np.tile(ends, len(episodes))
