"""Ways to weight the reference states for one reward, to choose the best of."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

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


def baseline(rewards: np.ndarray) -> float:
    """The constant that is subtracted from rewards `(n,)` before they are encoded.

    A constant changes no behaviour, but it changes `z`. A dense reward is centred, so that it
    does not ask for what most states are like. A sparse one starts at its floor, so that the
    states without reward need not be looked at, and a goal is encoded as in training.
    """
    low, high = float(rewards.min()), float(rewards.max())
    carried = rewards > low + CARRIED * (high - low)
    return low if carried.mean() <= _SPARSE else float(rewards.mean())


def above(rewards: np.ndarray, base: float) -> np.ndarray:
    """Rewards `(n,)` relative to their baseline, and nothing for those that count as none."""
    relative = rewards - base
    threshold = CARRIED * float(rewards.max() - rewards.min())
    sparse = base <= float(rewards.min())
    return np.where(relative > threshold, relative, 0.0) if sparse else relative


def candidates(rewards: np.ndarray, count: int) -> list[Candidate]:
    """The first `count` ways to weight states with `rewards` `(n,)`, which must vary.

    Relative to the baseline, centred, as they are, sharpened (the best states alone), then one of
    the best states at a time: a mean over two far peaks would be neither.
    """
    ways = [
        Candidate("relative", above(rewards, baseline(rewards))),
        Candidate("centred", rewards - rewards.mean()),
        Candidate("as it is", rewards),
    ]
    for share in _SHARPENED:
        best = rewards >= np.quantile(rewards, 1.0 - share)
        ways.append(Candidate(f"best {share:.0%}", best.astype(np.float64)))
    best = np.flatnonzero(rewards >= np.quantile(rewards, 1.0 - _SHARPENED[-1]))
    rng = np.random.default_rng(0)
    while len(ways) < count:
        one = np.zeros(len(rewards))
        one[rng.choice(best)] = 1.0
        ways.append(Candidate("one state", one))
    return [way for way in ways[:count] if np.any(way.weights)]
