"""Episodes out of HDF5 files in D4RL's and in Minari's layout."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fb_ros.errors import FbRosError
from training.recording import Arrays, Recording

SUFFIXES = (".hdf5", ".h5")


def hdf5_format(path: Path) -> str:
    """`minari` or `d4rl`; refuses a file that is neither, or not whole."""
    with _opened(path) as file:
        if any(name.startswith("episode_") for name in file):
            return "minari"
        if {"observations", "actions", "terminals"} <= set(file):
            return "d4rl"
        raise FbRosError(
            f"{path} holds {', '.join(file) or 'nothing'}; expected D4RL's observations, actions "
            "and terminals, or Minari's groups episode_0, episode_1, …"
        )


def read_hdf5(path: Path) -> Iterator[Recording]:
    """The episodes of a file, in ExORL's arrays."""
    read = {"minari": _read_minari, "d4rl": _read_d4rl}[hdf5_format(path)]
    with _opened(path) as file:
        try:
            yield from read(file)
        except (OSError, KeyError, RuntimeError) as error:
            raise FbRosError(f"{path} cannot be read to its end: {_line(error)}") from error


def _opened(path: Path) -> Any:
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise FbRosError(f"{path} is not a whole HDF5 file: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())


def _read_minari(file: Any) -> Iterator[Recording]:
    """One group an episode; `observations` have one row more than the rest."""
    names = [name for name in file if name.startswith("episode_")]
    for name in sorted(names, key=lambda name: int(name.removeprefix("episode_"))):
        group = file[name]
        lacking = [
            part
            for part in ("observations", "actions", "terminations", "truncations")
            if part not in group
        ]
        if lacking:
            yield Recording(name=name, problem=f"it lacks {', '.join(lacking)}")
            continue
        observations = group["observations"]
        if not isinstance(observations, h5py.Dataset):  # A goal-conditioned environment's.
            if "observation" not in observations:
                parts = ", ".join(observations)
                yield Recording(name=name, problem=f"its observations are {parts}")
                continue
            observations = observations["observation"]
        infos = group.get("infos", {})
        yield _episode(
            name,
            observation=observations[()],
            action=group["actions"][()],
            reward=group["rewards"][()] if "rewards" in group else None,
            terminal=group["terminations"][()],
            physics=_physics(infos, slice(None)),
        )


def _read_d4rl(file: Any) -> Iterator[Recording]:
    """One row a transition, all episodes in a row; `terminals` and `timeouts` end them."""
    terminals = file["terminals"][()].astype(bool).ravel()
    count = len(terminals)
    follows = "next_observations" in file
    if "timeouts" not in file and not follows:
        raise FbRosError(
            f"{file.filename} holds neither timeouts nor next_observations, so that nobody can "
            "say where its episodes end"
        )
    for name in ("observations", "actions", "timeouts", "next_observations"):
        if name in file and len(file[name]) != count:
            raise FbRosError(
                f"{file.filename}: {name} has {len(file[name])} rows, terminals has {count}"
            )
    ends = terminals.copy()
    if "timeouts" in file:
        ends |= file["timeouts"][()].astype(bool).ravel()
    else:
        observed, following = file["observations"][()], file["next_observations"][()]
        ends[:-1] |= np.any(observed[1:] != following[:-1], axis=1)
    ends[-1:] = True
    start = 0
    for number, last in enumerate(np.flatnonzero(ends)):
        rows = slice(start, int(last) + 1)
        start = rows.stop
        observation, terminal = file["observations"][rows], terminals[rows]
        physics = _physics(file.get("infos", {}), rows)
        action = file["actions"][rows]
        reward = file["rewards"][rows] if "rewards" in file else None
        note = ""
        if follows:
            after = file["next_observations"][rows.stop - 1 : rows.stop]
            observation = np.concatenate([observation, after])
        elif terminal[-1]:
            note = "the terminal state is not stored; the state before stands in for it"
            observation = np.concatenate([observation, observation[-1:]])
            physics = None if physics is None else np.concatenate([physics, physics[-1:]])
        else:
            # The state after the last action is not stored, so that action led nowhere.
            action, terminal = action[:-1], terminal[:-1]
            reward = None if reward is None else reward[:-1]
        if physics is not None and len(physics) != len(observation):
            physics = None  # One state short; the observation says more.
        yield _episode(
            f"episode {number} (rows {rows.start} to {rows.stop - 1})",
            observation=observation,
            action=action,
            reward=reward,
            terminal=terminal,
            physics=physics,
            note=note,
        )


def _physics(infos: Any, rows: slice) -> np.ndarray | None:
    """MuJoCo's positions and velocities, where the file has them, `(n, nq + nv)`."""
    if "qpos" not in infos or "qvel" not in infos:
        return None
    return np.concatenate([infos["qpos"][rows], infos["qvel"][rows]], axis=1)


def _episode(
    name: str,
    *,
    observation: np.ndarray,
    action: np.ndarray,
    reward: np.ndarray | None,
    terminal: np.ndarray,
    physics: np.ndarray | None,
    note: str = "",
) -> Recording:
    """Arrays one longer than the steps: `T + 1` states, `T` of everything else."""
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
    reward = np.zeros(len(action)) if reward is None else reward.reshape(len(action), -1)[:, 0]
    arrays: Arrays = {
        "observation": observation,
        "action": np.concatenate([np.zeros_like(action[:1]), action])
        if len(action)
        else np.zeros((1, action.shape[1])),
        "reward": np.concatenate([[0.0], reward])[:, None],
        # A time-limit truncation ends nothing that goes on: its discount stays 1.
        "discount": np.concatenate([[1.0], 1.0 - terminal.astype(np.float64).ravel()])[:, None],
    }
    if physics is not None:
        arrays["physics"] = physics
    return Recording(name=name, arrays=arrays, note=note)
