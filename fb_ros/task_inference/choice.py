"""Chooses among encodings the one that best does what a prompt asks for."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np

from fb_ros.settings import require_one_of
from fb_ros.task_inference.imagination import Imagination, Imagined
from fb_ros.task_inference.known_states import KnownStates
from fb_ros.task_inference.objective import Objective

Choice = Literal["best", "mean"]
"""How `z` is chosen: the best in the model's imagination, or the papers' `E[r B]`."""

# All encodings are imagined for as long as the way there takes, and judged by its end; this many
# of the best are imagined to the end.
_WAY_SECONDS, _SECONDS, _KEPT = 2.4, 8.0, 8
_FIRST_LOOK_SECONDS = 1.2
# Seconds between the moments of a run that are judged.
_LOOK_SECONDS = 0.16
# An imagined state may be wrong by this many standard deviations of the data: a good state at the
# border of bad ones is worth less.
_UNSURE, _DRAWS = 0.2, 4
# Price of a standard deviation outside the data, where the model knows little, and of one away
# from the nearest good state, while a robot may be on its way.
_OUTSIDE, _AWAY = 0.1, 0.02
# Price of moving on at one standard deviation per second, and the speed at which it stops growing.
_MOVING, _FAST = 0.08, 2.0
# Price of pushing against a joint's stop all the time, by this many rad per period or more: the
# model's dynamics go on there, and the robot's do not.
_PUSHING, _PUSH = 0.5, 0.01


class Ranking(NamedTuple):
    """Some encodings, ranked by their worth."""

    order: np.ndarray
    """Indices of the encodings, the best first, `(m,)`; those dropped early come last."""
    forecast: float
    """Mean reward under the best encoding once it is there, in the objective's unit."""


def require_choice(name: str) -> Choice:
    """The choice of that name; refuses one that does not exist."""
    choices: tuple[Choice, ...] = get_args(Choice)
    return require_one_of("choice", name, choices)


def rank(
    imagination: Imagination,
    objective: Objective,
    proposals: np.ndarray,
    observations: np.ndarray,
    ctrl_dt: float,
) -> Ranking:
    """Ranks `proposals` `(m, z_dim)` for a robot that may be in any of `observations`.

    `observations` are `(s, obs_dim)`; a single one if the robot's present observation is known.
    """
    look = max(1, round(_LOOK_SECONDS / ctrl_dt))
    steps, way = round(_SECONDS / ctrl_dt), round(_WAY_SECONDS / ctrl_dt)
    starts, kept = len(observations), np.arange(len(proposals))
    dropped = kept[:0]
    last = np.tile(observations, (len(proposals), 1))
    if len(kept) > _KEPT:
        imagined = imagination.run(last, np.repeat(proposals, starts, axis=0), way)
        first = imagined.features[way - round(_FIRST_LOOK_SECONDS / ctrl_dt) :: look]
        runs = on_the_way(imagination.known, objective, first) - _strain(imagined)
        values = _by_proposal(runs, starts)
        kept, dropped = np.split(np.argsort(-values, kind="stable"), [_KEPT])
        last = imagined.last.reshape(len(proposals), starts, -1)[kept]
        last = last.reshape(len(kept) * starts, -1)
    else:
        last = imagination.run(last, np.repeat(proposals, starts, axis=0), way).last
    imagined = imagination.run(last, np.repeat(proposals[kept], starts, axis=0), steps - way)
    run = imagined.features[::look]
    runs = worth(imagination.known, objective, run) - _strain(imagined)
    runs -= restlessness(imagination.known, imagined.features, ctrl_dt)
    values = _by_proposal(runs, starts)
    rewards = _by_proposal(objective(run).mean(axis=0), starts)
    order = np.argsort(-values, kind="stable")
    whole = np.concatenate([kept[order], dropped])
    return Ranking(order=whole, forecast=float(rewards[order[0]]))


def worth(known: KnownStates, objective: Objective, run: np.ndarray) -> np.ndarray:
    """The worth of runs through states `(steps, n, feature_dim)`, `(n,)`.

    It is 1 for as much reward as the best of the data gives, however much more it is; less outside
    the data, and less where a small error would make a difference.
    """
    shares = [
        np.minimum(objective.share(objective(shifted)), 1.0)
        for shifted in known.shifted(run, _UNSURE, _DRAWS)
    ]
    found: np.ndarray = (np.mean(shares, axis=0) - _OUTSIDE * known.outside(run)).mean(axis=0)
    return found


def on_the_way(known: KnownStates, objective: Objective, run: np.ndarray) -> np.ndarray:
    """The worth of runs that may not have arrived, `(n,)`: more where they are nearer."""
    away = known.away(run, objective).mean(axis=0)
    found: np.ndarray = worth(known, objective, run) - _AWAY * away
    return found


def restlessness(known: KnownStates, features: np.ndarray, dt: float) -> np.ndarray:
    """The price of not coming to rest, `(n,)`: a robot that goes on moving may not stay there."""
    found: np.ndarray = _MOVING * np.minimum(known.speed(features, dt), _FAST)
    return found


def _strain(imagined: Imagined) -> np.ndarray:
    """The price of pushing against a joint's stop, `(n,)`."""
    found: np.ndarray = _PUSHING * np.minimum(imagined.pushed / _PUSH, 1.0).mean(axis=0)
    return found


def _by_proposal(values: np.ndarray, starts: int) -> np.ndarray:
    """Averages `values` `(m * starts,)` over the starts, which vary fastest: `(m,)`."""
    found: np.ndarray = values.reshape(-1, starts).mean(axis=1)
    return found
