"""The ends of episodes in a file that stores them in sequence, from any marks it has."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.errors import FbRosError
from training.data.findings import Findings

# Other libraries' names for the number of an episode.
ID_NAMES = ("episode_ids", "episode_id", "infos/episode_id", "episode_number", "traj_ids")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Borders:
    """Ends of episodes, one entry per row, `(n,)` of bool."""

    ends: np.ndarray
    """Whether an episode ends with this row's transition."""
    terminals: np.ndarray
    """Whether it ends in a terminal state."""
    unknown: np.ndarray
    """Whether `next_observations` of the row is another episode's observation."""


def as_flags(name: str, values: np.ndarray) -> np.ndarray:
    """Truth values `(n,)` from `(n,)` or `(n, 1)`; refuses values other than 0 and 1."""
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or values.dtype.kind not in "biuf":
        raise FbRosError(
            f"{name} holds {values.dtype} of shape {values.shape}, expected true or false a row"
        )
    wrong = np.flatnonzero((values != 0) & (values != 1))
    if len(wrong):
        raise FbRosError(
            f"{name} holds {values[wrong[0]]:g} in row {wrong[0]}, expected true or false"
        )
    return values.astype(bool)


def find_borders(
    terminals: np.ndarray,
    *,
    timeouts: np.ndarray | None,
    observations: np.ndarray | None,
    following: np.ndarray | None,
    ids: np.ndarray | None,
    episode_steps: int | None,
    found: Findings,
) -> Borders:
    """Compares the marks in a file; refuses contradictions, naming the row.

    `following` `(n, k)` holds the observation after each row, `ids` `(n,)` the number of its
    episode. `episode_steps` ends an episode after that many steps if nothing ends it before.
    """
    count = len(terminals)
    if timeouts is None and following is None and ids is None and episode_steps is None:
        raise FbRosError(
            "it holds neither timeouts nor next_observations nor episode ids, so that nobody can "
            "say where its episodes end; say how many steps one has at most with --episode-steps"
        )
    flagged = terminals | (np.zeros(count, bool) if timeouts is None else timeouts)
    ends, unknown = flagged.copy(), np.zeros(count, bool)
    if ids is not None:
        changes = ids.reshape(count, -1)[1:, 0] != ids.reshape(count, -1)[:-1, 0]
        _refuse(terminals[:-1] & ~changes, "terminals ends an episode, and its id goes on")
        _report(changes & ~flagged[:-1], "the episode's id changes, and no flag ends it", found)
        ends[:-1] |= changes
    if following is not None and observations is not None and count > 1:
        same = np.all(
            np.isclose(following[:-1], observations[1:], rtol=1e-5, atol=1e-6, equal_nan=True),
            axis=tuple(range(1, observations.ndim)),
        )
        _refuse(
            terminals[:-1] & same,
            "terminals ends an episode, and next_observations is the observation of the next row",
        )
        text = "next_observations is not the observation of the next row, and no flag says why"
        if timeouts is not None:
            _report(~same & ~ends[:-1], text, found)
        ends[:-1] |= ~same
        # The state after the last action was not recorded.
        unknown[:-1] = ends[:-1] & same
    if episode_steps is not None and timeouts is None:
        start = 0
        for last in [*np.flatnonzero(ends), count - 1]:
            ends[start + episode_steps - 1 : last : episode_steps] = True
            start = int(last) + 1
    ends[-1:] = True
    return Borders(ends=ends, terminals=terminals, unknown=unknown)


def _refuse(contradictions: np.ndarray, text: str) -> None:
    rows = np.flatnonzero(contradictions)
    if len(rows):
        raise FbRosError(f"row {rows[0]}: {text} ({len(rows)} such rows); one of them is wrong")


def _report(rows: np.ndarray, text: str, found: Findings) -> None:
    where = np.flatnonzero(rows)
    if len(where):
        found.add(
            "border",
            f"row {where[0]}: {text}; an episode ends there ({len(where)} such rows)",
            count=len(where),
        )
