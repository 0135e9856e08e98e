"""One episode of an HDF5 file in ExORL's arrays, which are one longer than the steps."""

from __future__ import annotations

import numpy as np

from training.data.recording import Arrays, Recording


def episode_of_steps(
    name: str,
    *,
    observation: np.ndarray,
    action: np.ndarray,
    reward: np.ndarray | None,
    terminal: np.ndarray,
    physics: np.ndarray | None,
    note: str = "",
) -> Recording:
    """Builds arrays one longer than the steps from `T + 1` states and `T` of everything else."""
    if observation.ndim != 2 or action.ndim != 2:
        return Recording(
            name=name,
            problem=f"observations have shape {observation.shape} and actions {action.shape}, "
            "expected rows of numbers",
        )
    if len(observation) != len(action) + 1 or len(action) != len(terminal):
        return Recording(
            name=name,
            problem=f"it has {len(observation)} observations, {len(action)} actions and "
            f"{len(terminal)} terminations; expected one observation more than the others",
        )
    if not len(action):
        return Recording(name=name, problem="it has no action and so no transition")
    if reward is None:
        reward = np.zeros(len(action))
    if reward.shape[:1] != (len(action),) or not reward.size:
        return Recording(
            name=name,
            problem=f"rewards have shape {reward.shape}, expected one for each of its "
            f"{len(action)} actions",
        )
    arrays: Arrays = {
        "observation": observation,
        "action": np.concatenate([np.zeros_like(action[:1]), action]),
        "reward": np.concatenate([[0.0], reward.reshape(len(action), -1)[:, 0]])[:, None],
        # A time limit is no terminal state: its discount stays 1.
        "discount": np.concatenate([[1.0], 1.0 - terminal.astype(np.float64).ravel()])[:, None],
    }
    if physics is not None:
        arrays["physics"] = physics
    return Recording(name=name, arrays=arrays, note=note)
