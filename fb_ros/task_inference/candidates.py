"""Ways to weight the reference states for one reward: the mean, and some that may do better."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

# A reward below this share of its range counts as none.
CARRIED = 0.01
# A reward that more than this share of the states carry is dense.
_SPARSE = 0.1
# Number of states that a way uses: a mean over more differs little, and takes longer in
# proportion.
_MEAN_STATES, _BEST_STATES = 1024, 256
# A state's weight is exp((reward - best) / (share * standard deviation)).
_SOFTNESS = (0.5, 0.25)
# Shares of the states that count as the best, and the power that a reward is raised to.
_SHARES, _POWER = (0.1, 0.03, 0.01, 0.003), 3
# Single states are chosen from these shares of the best.
_GOALS, _NARROW_GOALS, _NEAR = 0.01, 0.003, (0.03, 0.01)
_FAR_APART, _DRAWN, _WHOLE = 6, 2, 4


class Candidate(NamedTuple):
    """One way to weight the reference states."""

    name: str
    states: np.ndarray
    """Indices of the reference states, `(m,)`."""
    weights: np.ndarray
    """Their weights, `(m,)`."""
    whole: bool = False
    """Whether the whole state is asked for, not only the features that the reward uses: some good
    states can only be reached so."""


def baseline(rewards: np.ndarray) -> float:
    """The constant that is subtracted from rewards `(n,)` before they are encoded.

    A constant changes no behaviour, but it changes `z`. A dense reward is centred, so that it does
    not ask for what most states are like. A sparse reward starts at its floor, so the states
    without reward need not be encoded, and a goal is encoded as in training.
    """
    low, high = float(rewards.min()), float(rewards.max())
    carried = rewards > low + CARRIED * (high - low)
    return float(rewards.mean()) if carried.mean() > _SPARSE else low


def above(rewards: np.ndarray, base: float) -> np.ndarray:
    """Rewards `(n,)` relative to their baseline; 0 for rewards that count as none."""
    relative = rewards - base
    threshold = CARRIED * float(rewards.max() - rewards.min())
    sparse = base <= float(rewards.min())
    return np.where(relative > threshold, relative, 0.0) if sparse else relative


def mean_of_all(rewards: np.ndarray) -> Candidate:
    """The papers' way, `E[r B]` over all states with `rewards` `(n,)`, relative to a baseline."""
    weights = above(rewards, baseline(rewards))
    states = np.flatnonzero(weights)
    return Candidate("mean", states, weights[states])


def candidates(
    rewards: np.ndarray,
    places: np.ndarray,
    present: np.ndarray | None = None,
    *,
    speaks_of: np.ndarray | None = None,
) -> list[Candidate]:
    """Ways to weight states with `rewards` `(n,)`, which must vary.

    The mean comes first, then sharpened rewards, the best states together, and single ones of
    them: a mean over two far peaks would be neither. `places` `(n, k)` are the states in units of
    their spread. `present` `(k,)` is the robot's place, if that is known: the nearest good state
    may be the best. `speaks_of` are the columns that the reward uses; without it, all of them.
    """
    every = np.arange(places.shape[1])
    columns = every if speaks_of is None else speaks_of
    own = None if present is None else present[columns]
    ways = list(_ways(rewards, places[:, columns], own))
    if len(columns) < len(every):
        ways += _whole_states(rewards, places, present)
    return [way for way in ways if np.any(way.weights)]


def held(rewards: np.ndarray, places: np.ndarray) -> Candidate:
    """The most central of the best states, as a whole."""
    return _one(_central(_best_of(rewards)(_GOALS), places), whole=True)


def good_states(
    rewards: np.ndarray, places: np.ndarray, present: np.ndarray, columns: np.ndarray
) -> list[int]:
    """The most central of the best states, and the nearest ones, by `columns` of `places`."""
    top, own = _best_of(rewards), places[:, columns]
    near = [
        states[np.argmin(np.linalg.norm(own[states] - present[columns], axis=1))]
        for states in map(top, _NEAR)
    ]
    return [_central(top(_GOALS), own), *map(int, near)]


def _ways(
    rewards: np.ndarray, places: np.ndarray, present: np.ndarray | None
) -> Iterator[Candidate]:
    whole = mean_of_all(rewards)
    some = spread_out(whole.states, _MEAN_STATES)
    every = spread_out(np.arange(len(rewards)), _MEAN_STATES)
    if len(some) < len(whole.states):
        # The mean of those states is subtracted.
        yield Candidate("mean", every, above(rewards[every], baseline(rewards[every])))
    else:
        yield whole
    low, high = float(rewards.min()), float(rewards.max())
    # The sharpened rewards use half as many states, since they take the most time.
    every = every[::2]
    yield Candidate("powered", every, ((rewards[every] - low) / (high - low)) ** _POWER)
    best, unit = float(np.percentile(rewards, 99.9)), float(rewards.std())
    for softness in _SOFTNESS:
        exponent = (rewards[every] - best) / (softness * unit)
        weights = np.exp(np.clip(exponent, -60.0, 3.0))
        kept = weights > CARRIED * weights.max()
        yield Candidate("softened", every[kept], weights[kept])
    top = _best_of(rewards)
    for share in _SHARES:
        states = spread_out(top(share), _BEST_STATES)
        yield Candidate(f"best {share:.1%}", states, np.ones(len(states)))
    good = top(_GOALS)
    yield _one(_central(good, places))
    yield _one(_central(top(_NARROW_GOALS), places))
    for state in _far_apart(good, places, _FAR_APART):
        yield _one(state)
    for state in np.random.default_rng(0).choice(good, _DRAWN):
        yield _one(state)
    if present is not None:
        for share in _NEAR:
            states = top(share)
            yield _one(states[np.argmin(np.linalg.norm(places[states] - present, axis=1))])


def _whole_states(
    rewards: np.ndarray, places: np.ndarray, present: np.ndarray | None
) -> Iterator[Candidate]:
    top = _best_of(rewards)
    good = top(_GOALS)
    yield _one(_central(good, places), whole=True)
    for state in np.random.default_rng(0).choice(good, _WHOLE):
        yield _one(state, whole=True)
    if present is not None:
        for share in _NEAR:
            states = top(share)
            nearest = np.argmin(np.linalg.norm(places[states] - present, axis=1))
            yield _one(states[nearest], whole=True)


def _best_of(rewards: np.ndarray) -> Callable[[float], np.ndarray]:
    """Maps a share of all states to that many best ones, all above the lowest reward."""
    order = np.argsort(-rewards, kind="stable")[: int(np.sum(rewards > rewards.min()))]
    return lambda share: order[: max(1, round(share * len(rewards)))]


def _one(state: int | np.integer, *, whole: bool = False) -> Candidate:
    return Candidate("one state", np.array([state]), np.ones(1), whole)


def spread_out(states: np.ndarray, most: int = _MEAN_STATES) -> np.ndarray:
    """At most `most` of the states, evenly spaced in their order."""
    return states[:: max(1, -(-len(states) // most))]


def _central(states: np.ndarray, places: np.ndarray) -> int:
    """The state nearest to the mean of the states."""
    own = places[states]
    return int(states[np.argmin(np.linalg.norm(own - own.mean(axis=0), axis=1))])


def _far_apart(states: np.ndarray, places: np.ndarray, count: int) -> Iterator[int]:
    """The first of the states, and then each time the one furthest from all before."""
    own = places[states]
    distance = np.full(len(states), np.inf)
    index = 0
    for _ in range(min(count, len(states))):
        yield int(states[index])
        distance = np.minimum(distance, np.linalg.norm(own - own[index], axis=1))
        index = int(np.argmax(distance))
