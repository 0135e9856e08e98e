"""Ways to weight the reference states for one reward, to choose the best of."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

import numpy as np

from fb_ros.errors import FbRosError

# A reward below this share of its range counts as none.
CARRIED = 0.01
# A reward that more of the states carry than this is dense.
_SPARSE = 0.1
# Share of the states that the sharpened ways keep.
_SHARPENED = (0.1, 0.01)


class Candidate(NamedTuple):
    """One way."""

    name: str
    weights: np.ndarray
    """`(n,)`."""


Centring = Literal["dense", "always", "never"]
"""Which rewards are centred; a sparse one is carried by a tenth of the states at most."""


def require_centring(name: str) -> Centring:
    """The option of that name; refuses one that does not exist."""
    for known in get_args(Centring):
        if name == known:
            return known
    raise FbRosError(f"centring is {name!r}, expected one of {', '.join(get_args(Centring))}")


def baseline(rewards: np.ndarray, centring: Centring = "dense") -> float:
    """The constant that is subtracted from rewards `(n,)` before they are encoded.

    A constant changes no behaviour, but it changes `z`. A dense reward is centred, so that it
    does not ask for what most states are like. A sparse one starts at its floor, so that the
    states without reward need not be looked at, and a goal is encoded as in training. "never"
    starts every reward at its floor.
    """
    low, high = float(rewards.min()), float(rewards.max())
    carried = rewards > low + CARRIED * (high - low)
    dense = carried.mean() > _SPARSE if centring == "dense" else centring == "always"
    return float(rewards.mean()) if dense else low


def above(rewards: np.ndarray, base: float) -> np.ndarray:
    """Rewards `(n,)` relative to their baseline, and nothing for those that count as none."""
    relative = rewards - base
    threshold = CARRIED * float(rewards.max() - rewards.min())
    sparse = base <= float(rewards.min())
    return np.where(relative > threshold, relative, 0.0) if sparse else relative


def candidates(rewards: np.ndarray, count: int, base: float) -> list[Candidate]:
    """The first `count` ways to weight states with `rewards` `(n,)`, which must vary.

    Relative to the baseline, centred, as they are, sharpened (the best states alone), then one of
    the best states at a time: a mean over two far peaks would be neither.
    """
    ways = itertools.islice(_ways(rewards, base), count)
    return [way for way in ways if np.any(way.weights)]


def _ways(rewards: np.ndarray, base: float) -> Iterator[Candidate]:
    yield Candidate("relative", above(rewards, base))
    yield Candidate("centred", rewards - rewards.mean())
    yield Candidate("as it is", rewards)
    order = np.argsort(-rewards, kind="stable")
    carrying = int(np.sum(rewards > rewards.min()))
    for share in _SHARPENED:
        best = order[: max(1, min(round(share * len(rewards)), carrying))]
        yield Candidate(f"best {share:.0%}", _ones(best, len(rewards)))
    rng = np.random.default_rng(0)
    while True:
        yield Candidate("one state", _ones(rng.choice(best), len(rewards)))


def _ones(where: np.ndarray | int, size: int) -> np.ndarray:
    weights = np.zeros(size)
    weights[where] = 1.0
    return weights
