"""Rewards of all states of a data set, computed once from stored physics."""

from __future__ import annotations

import numpy as np

from fb_ros.whole_file import whole_file
from sim.progress import progress_bar
from sim.robots.environment import Environment
from sim.tasks.reward_tasks import RewardTask
from training.data.data import Transitions

# Number of states per step of the computation.
_CHUNK = 20_000


def label(data: Transitions, environment: Environment, task: RewardTask) -> np.ndarray:
    """The reward of each row of the data, `(rows,)`, float32.

    Rewards are stored beside the mapped copy of each folder, and deleted when the copy is
    rewritten.
    """
    parts = []
    for flat in data.flat:
        path = flat.folder / f"reward_{task.name}.f32"
        if not path.is_file() or path.stat().st_size != 4 * len(flat.rows):
            rewards = np.empty(len(flat.rows), np.float32)
            physics = data.physics_of(flat)
            starts = range(0, len(rewards), _CHUNK)
            for start in progress_bar(starts, title=f"label {task.name}", unit="part"):
                part = slice(start, start + _CHUNK)
                rewards[part] = task.rewards(environment, np.asarray(physics[part]))
            with whole_file(path) as partial:
                rewards.tofile(partial)
        parts.append(np.fromfile(path, np.float32))
    return np.concatenate(parts)
