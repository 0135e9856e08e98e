"""The encodings of a reward over the reference states, one for each way to weight them."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.task_inference.asked_blocks import asked_blocks
from fb_ros.task_inference.candidates import (
    Candidate,
    baseline,
    candidates,
    good_states,
    held,
    mean_of_all,
    spread_out,
)
from fb_ros.task_inference.task_encoder import TaskEncoder


class EncodedWays(NamedTuple):
    """The part of a `Task` that comes from its reward."""

    proposals: np.ndarray
    """Encodings, `(m, z_dim)`, float32."""
    means: np.ndarray
    """`E[r(s) B(s, z)]` of each, `(m, z_dim)`, for the reward relative to `base`."""
    base: float
    forecast: float | None = None


def encoded_ways(
    bundle: Bundle,
    encoder: TaskEncoder,
    rewards: np.ndarray,
    uses: Collection[str],
    *,
    several: bool,
    present: np.ndarray | None = None,
) -> EncodedWays:
    """Encodes `rewards` `(n,)` of the reference states, which use the features `uses`.

    It gives the papers' way only, the mean over all states, or `several` ways. `present` `(k,)` is
    what `B` reads of the robot's present state, if that is known.
    """
    asked = asked_blocks(bundle.block_features, uses)
    base = baseline(rewards)
    ways, columns = [mean_of_all(rewards)], np.arange(len(encoder.spread))
    forecast = None
    if several and bundle.reference == "strides":
        # Each of them was kept up, and the model has learned how: a mixture never was.
        ways = [held(rewards, encoder.reference / encoder.spread)]
        forecast = float(rewards[ways[0].states[0]])
    elif several:
        columns = np.concatenate([encoder.columns[name] for name in sorted(uses)])
        where = None if present is None else present / encoder.spread
        ways = candidates(rewards, encoder.reference / encoder.spread, where, speaks_of=columns)
    # A model without learned dynamics chooses and forecasts by these means, if there is a choice.
    valued = not bundle.imagines and forecast is None
    sample = spread_out(np.arange(len(rewards))) if valued else np.empty(0, dtype=np.int64)

    def encode(way: Candidate) -> tuple[np.ndarray, np.ndarray]:
        states = np.concatenate([way.states, sample])
        weights = np.concatenate([way.weights, np.zeros(len(sample))])
        reward = np.concatenate([np.zeros(len(way.states)), rewards[sample] - base])
        own = np.ones_like(asked) if way.whole else asked
        z, mean = encoder.encode(encoder.reference[states], weights, own, reward)
        return z, mean * (len(states) / max(1, len(sample)))

    encodings = [encode(way) for way in ways]
    if len(columns) < len(encoder.spread) and present is not None:
        # Other features stay as they are: the present state gets a good state's asked features.
        ones, every = np.ones(1), np.ones_like(asked)
        for state in good_states(
            rewards, encoder.reference / encoder.spread, present / encoder.spread, columns
        ):
            kept = np.clip(present, encoder.reference.min(axis=0), encoder.reference.max(axis=0))
            kept[columns] = encoder.reference[state, columns]
            z, mean = encoder.encode(kept[None], ones, every)
            encodings.append((z, mean))
    return EncodedWays(
        np.stack([z for z, _ in encodings]),
        np.stack([mean for _, mean in encodings]),
        base,
        forecast,
    )
