"""Episodes from HDF5 files in D4RL's and in Minari's layout."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fb_ros.errors import FbRosError, shown
from training.data.episode_borders import ID_NAMES, as_flags, find_borders
from training.data.findings import Findings
from training.data.hdf5_access import child, dataset, line_of, open_hdf5, require_apart, rows_of
from training.data.hdf5_episode import episode_of_steps
from training.data.recording import Recording

SUFFIXES = (".hdf5", ".h5")
# A file with more names is no data set.
_MOST_NAMES = 1_000_000
# Arrays with one row per transition in D4RL's layout, besides `terminals`.
_D4RL_ROWS = (
    "observations",
    "actions",
    "rewards",
    "timeouts",
    "truncations",
    "next_observations",
    *ID_NAMES,
    "infos/qpos",
    "infos/qvel",
)


def hdf5_format(path: Path) -> str:
    """`minari` or `d4rl`; refuses a file that is neither, or incomplete."""
    with open_hdf5(path) as file:
        try:
            names = list(itertools.islice(file, _MOST_NAMES))
        except Exception as error:
            raise FbRosError(f"{path} is not a whole HDF5 file: {line_of(error)}") from error
    # h5py gives a name that is no UTF-8 as bytes. The array that lost its name may be needed.
    damaged = next((name for name in names if not isinstance(name, str)), None)
    if damaged is not None:
        raise FbRosError(
            f"{path} is not a whole HDF5 file: its name {shown(damaged)} is no text in UTF-8"
        )
    # An array of episode ids would look like one of Minari's groups.
    if {"observations", "actions", "terminals"} <= set(names):
        return "d4rl"
    if any(name.startswith("episode_") for name in names):
        return "minari"
    raise FbRosError(
        f"{path} holds {shown(names) if names else 'nothing'}; expected D4RL's observations, "
        "actions and terminals, or Minari's groups episode_0, episode_1, …"
    )


def read_hdf5(
    path: Path, found: Findings | None = None, episode_steps: int | None = None
) -> Iterator[Recording]:
    """The episodes of a file, in ExORL's arrays.

    `found` gets oddities of their borders. `episode_steps` ends the episodes of a D4RL file that
    has no timeouts.
    """
    layout = hdf5_format(path)
    with open_hdf5(path) as file:
        # The `try` leaves out the yield: errors of the caller are not the file's.
        if layout == "minari":
            episodes = _read_minari(file)
        else:
            episodes = _read_d4rl(file, found or Findings(), episode_steps)
        while True:
            try:
                recording = next(episodes)
            except StopIteration:
                return
            except FbRosError as error:
                raise FbRosError(f"{path}: {error}") from error
            except Exception as error:
                raise FbRosError(f"{path} cannot be read to its end: {line_of(error)}") from error
            yield recording


def _read_or_say_why(name: str, read: Callable[[], Recording]) -> Recording:
    """The result of `read`; an error in one episode does not affect the others."""
    try:
        return read()
    except FbRosError as error:
        return Recording(name=name, problem=str(error))
    except Exception as error:  # h5py and NumPy raise anything for a damaged file.
        return Recording(name=name, problem=f"it cannot be read: {line_of(error)}")


def _read_minari(file: Any) -> Iterator[Recording]:
    """One group per episode; `observations` have one row more than the rest."""
    numbers = {name: name.removeprefix("episode_") for name in file if name.startswith("episode_")}
    for name, number in numbers.items():
        if not number.isdecimal():
            yield Recording(name=name, problem="its name has no number, expected episode_NUMBER")
    for name in sorted(
        (name for name, number in numbers.items() if number.isdecimal()),
        key=lambda name: int(numbers[name]),
    ):
        yield _read_or_say_why(name, functools.partial(_minari_episode, name, file))


def _minari_episode(name: str, file: Any) -> Recording:
    group = child(file, name)
    if not isinstance(group, h5py.Group):
        raise FbRosError("it is an array, expected a group of them")
    parts = ("observations", "actions", "terminations", "truncations")
    lacking = [part for part in parts if child(group, part) is None]
    if lacking:
        raise FbRosError(f"it lacks {', '.join(lacking)}")
    observations = "observations"
    if isinstance(child(group, observations), h5py.Group):  # A goal-conditioned environment.
        if child(group, "observations/observation") is None:
            raise FbRosError(f"its observations are {shown(list(group[observations]))}")
        observations = "observations/observation"
    names = (observations, "rewards", *parts[1:])
    require_apart({one: dataset(group, one) for one in names if child(group, one) is not None})
    truncated = as_flags("truncations", rows_of(dataset(group, "truncations")))
    if truncated[:-1].any():
        row = int(np.flatnonzero(truncated)[0])
        raise FbRosError(
            f"step {row} is truncated, and the episode goes on after it; cut it in two there"
        )
    return episode_of_steps(
        name,
        observation=_not_zero(group, observations),
        action=_not_zero(group, "actions"),
        reward=_rows_if_there(group, "rewards"),
        terminal=as_flags("terminations", rows_of(dataset(group, "terminations"))),
        physics=_physics(_rows_if_there(group, "infos/qpos"), _rows_if_there(group, "infos/qvel")),
    )


def _not_zero(group: Any, name: str) -> np.ndarray:
    """All rows; refuses chunks of zeros alone, which no checksum tells from a damaged place."""
    array = dataset(group, name)
    values = rows_of(array)
    if array.chunks and values.size and not values.any():
        raise FbRosError(
            f"{name} are zero throughout: the file is damaged, or nothing was recorded"
        )
    return values


def _read_d4rl(file: Any, found: Findings, episode_steps: int | None) -> Iterator[Recording]:
    """One row per transition, all episodes in sequence."""
    terminals = as_flags("terminals", rows_of(dataset(file, "terminals")))
    count = len(terminals)
    arrays = {name: dataset(file, name) for name in _D4RL_ROWS if child(file, name) is not None}
    require_apart({**arrays, "terminals": dataset(file, "terminals")})
    for name, array in arrays.items():
        if array.shape[:1] != (count,):
            raise FbRosError(
                f"{name} has shape {array.shape}, expected {count} rows as terminals has"
            )
    timeouts = next((name for name in ("timeouts", "truncations") if name in arrays), None)
    ids = next((name for name in ID_NAMES if name in arrays), None)
    follows = "next_observations" in arrays
    borders = find_borders(
        terminals,
        timeouts=as_flags(timeouts, rows_of(arrays[timeouts])) if timeouts else None,
        observations=rows_of(arrays["observations"]) if follows else None,
        following=rows_of(arrays["next_observations"]) if follows else None,
        ids=rows_of(arrays[ids]) if ids else None,
        episode_steps=episode_steps,
        found=found,
    )
    start = 0
    for number, last in enumerate(np.flatnonzero(borders.ends)):
        rows = slice(start, int(last) + 1)
        start = rows.stop
        name = f"episode {number} (rows {rows.start} to {rows.stop - 1})"
        unknown = bool(borders.unknown[last])
        read = functools.partial(_d4rl_episode, name, arrays, rows, terminals[rows], unknown)
        yield _read_or_say_why(name, read)


def _d4rl_episode(
    name: str, arrays: Mapping[str, Any], rows: slice, terminal: np.ndarray, unknown: bool
) -> Recording:
    read = {part: rows_of(array, rows) for part, array in arrays.items()}
    observation, action, reward = read["observations"], read["actions"], read.get("rewards")
    physics = _physics(read.get("infos/qpos"), read.get("infos/qvel"))
    note = ""
    # Stored physics has no next state, so it determines which transitions there are.
    if "next_observations" in read and physics is None and not unknown:
        observation = np.concatenate([observation, read["next_observations"][-1:]])
    elif terminal[-1]:
        note = "the terminal state is not stored; the state before stands in for it"
        observation = np.concatenate([observation, observation[-1:]])
        physics = None if physics is None else np.concatenate([physics, physics[-1:]])
    elif len(action) == 1:
        raise FbRosError("its only action led to a state that is not stored: it has no transition")
    else:
        # The state after the last action is not stored, so that action is dropped.
        action, terminal = action[:-1], terminal[:-1]
        reward = None if reward is None else reward[:-1]
    return episode_of_steps(
        name,
        observation=observation,
        action=action,
        reward=reward,
        terminal=terminal,
        physics=physics,
        note=note,
    )


def _rows_if_there(group: Any, name: str) -> np.ndarray | None:
    return None if child(group, name) is None else rows_of(dataset(group, name))


def _physics(position: np.ndarray | None, velocity: np.ndarray | None) -> np.ndarray | None:
    """MuJoCo's positions and velocities, if the file has them, `(n, nq + nv)`."""
    if position is None or velocity is None:
        return None
    if position.ndim != 2 or velocity.ndim != 2 or len(position) != len(velocity):
        raise FbRosError(
            f"infos/qpos has shape {position.shape} and infos/qvel {velocity.shape}, expected "
            "rows of numbers, as many of each"
        )
    return np.concatenate([position, velocity], axis=1)
