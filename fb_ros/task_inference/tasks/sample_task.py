"""States that a person has labelled with rewards, as tasks."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import RewardSamples
from fb_ros.robot.wording import describe
from fb_ros.task_inference.encoded_ways import encoded_ways
from fb_ros.task_inference.known_states import KnownStates
from fb_ros.task_inference.magnitude import magnitude
from fb_ros.task_inference.nearest_state import nearest_state
from fb_ros.task_inference.objective import Objective, objective_of
from fb_ros.task_inference.task_encoder import TaskEncoder
from fb_ros.task_inference.tasks.formula_task import effective_states
from fb_ros.task_inference.tasks.task import Task

MOST_SAMPLES = 10_000
# A label applies to states within about this many standard deviations, and half of its reward is
# believed at a distance where its weight has fallen to `_DOUBT`.
_WIDTH, _DOUBT = 0.5, 0.1
# If more states are labelled, this many of them estimate the others: the work is the product of
# both numbers.
_MOST_SPEAKING = 256


def sample_task(
    bundle: Bundle,
    encoder: TaskEncoder,
    prompt: RewardSamples,
    *,
    several: bool,
    present: np.ndarray | None = None,
) -> Task:
    """The task of labelled states: the papers' mean over them, and an estimate for other states.

    `several` and `present` are those of `encoded_ways`.
    """
    features, rewards = _checked(bundle, encoder, prompt)
    asked = np.ones(len(bundle.blocks), dtype=np.float32)
    proposals = encoder.encode(features, rewards, asked).z[None]
    reference = encoder.reference.astype(np.float64)
    last = features[rewards != 0.0][-1]
    outside = nearest_state(reference, last, encoder.spread)[2]
    objective = None
    found = sample_objective(bundle, encoder, prompt) if several else None
    if found is not None:
        objective, expected = found
        ways = encoded_ways(
            bundle, encoder, expected, objective.uses, several=True, present=present
        )
        best = features[int(np.argmax(rewards))][None]
        proposals = np.concatenate(
            [proposals, encoder.encode(best, np.ones(1), asked).z[None], ways.proposals]
        )
    return Task(
        text=prompt.text,
        proposals=proposals,
        objective=objective,
        warnings=(f"the last labelled state is {outside:.3g} std outside the data",)
        if not outside <= 1.0
        else (),
        figures={
            "labelled_states": float(len(rewards)),
            "effective_states": effective_states(np.abs(rewards) / magnitude(rewards)),
            "outside_std": outside,
        },
    )


def sample_objective(
    bundle: Bundle, encoder: TaskEncoder, prompt: RewardSamples
) -> tuple[Objective, np.ndarray] | None:
    """A reward learned from labelled states, and its values at the reference states `(n,)`.

    None where the labels say nothing about any reference state.
    """
    features, rewards = _checked(bundle, encoder, prompt)
    unit = magnitude(rewards)
    near = likely_reward(features / encoder.spread, rewards / unit)
    expected = near(encoder.reference.astype(np.float64) / encoder.spread)
    if np.ptp(expected) <= 1e-6:
        return None
    columns = KnownStates(bundle).columns
    objective = objective_of(
        lambda states: near(states[:, columns] / encoder.spread),
        encoder.columns,
        bundle.reference_features,
        expected,
        unit,
    )
    return objective, expected


def likely_reward(labelled: np.ndarray, rewards: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A reward `(m, k)` to `(m,)` learned from states `(n, k)` labelled with `rewards` `(n,)`.

    Distances are in standard deviations. It is a Nadaraya-Watson estimate that falls to zero away
    from all labels, since nothing is known there.
    """
    if len(labelled) > _MOST_SPEAKING:
        chosen = np.random.default_rng(0).choice(len(labelled), _MOST_SPEAKING, replace=False)
        labelled, rewards = labelled[chosen], rewards[chosen]

    def reward(states: np.ndarray) -> np.ndarray:
        squares = (
            np.square(states).sum(axis=1)[:, None]
            + np.square(labelled).sum(axis=1)
            - 2.0 * states @ labelled.T
        )
        kernel = np.exp(-0.5 * np.maximum(squares, 0.0) / _WIDTH**2)
        found: np.ndarray = kernel @ rewards / (kernel.sum(axis=1) + _DOUBT)
        return found

    return reward


def _checked(
    bundle: Bundle, encoder: TaskEncoder, prompt: RewardSamples
) -> tuple[np.ndarray, np.ndarray]:
    features, rewards = np.asarray(prompt.features), np.asarray(prompt.rewards)
    width = encoder.reference.shape[1]
    if features.ndim != 2 or features.shape[1] != width or len(rewards) != len(features):
        raise FbRosError(
            f"labelled states have shape {features.shape} and {len(rewards)} rewards, "
            f"expected {width} features and a reward in each row: "
            + describe(bundle.encoder_fields)
        )
    # The graph uses float32, too.
    with np.errstate(over="ignore"):
        features = features.astype(np.float32)
    if not (np.all(np.isfinite(features)) and np.all(np.isfinite(rewards))):
        raise FbRosError("the labelled states are not finite; publish finite numbers")
    if not np.any(rewards):
        raise FbRosError("no labelled state has a reward; give at least one another than 0")
    if len(features) > MOST_SAMPLES:
        raise FbRosError(f"{len(features)} labelled states, at most {MOST_SAMPLES} are allowed")
    return features, rewards
