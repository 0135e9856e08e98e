"""Several prompts at once as one task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import blend_text
from fb_ros.robot.wording import shortened
from fb_ros.task_inference.encoded_ways import encoded_ways
from fb_ros.task_inference.objective import Objective, objective_of, weighted_sum
from fb_ros.task_inference.sphere import blend
from fb_ros.task_inference.task import Task
from fb_ros.task_inference.task_encoder import TaskEncoder


def blend_task(
    bundle: Bundle,
    encoder: TaskEncoder,
    parts: Sequence[Task],
    weights: Sequence[float],
    objectives: Sequence[Objective | None],
    *,
    several: bool,
    present: np.ndarray | None = None,
) -> Task:
    """The task of `parts` with `weights`; `objectives` are what to choose by, of each part.

    Its encodings lie between those of its parts; where it is known what all parts are after,
    others are those of the sum of their rewards. `several` and `present` are those of
    `encoded_ways`.
    """
    count = max(len(part.proposals) for part in parts)
    rows = [
        blend(
            [part.proposals[min(row, len(part.proposals) - 1)] for part in parts],
            weights,
            bundle.blocks,
        )
        for row in range(count)
    ]
    if not np.any(rows[0]):
        raise FbRosError("the parts of the blend cancel each other; change their weights")
    proposals = np.stack([row for row in rows if np.any(row)]).astype(np.float32)
    known = [objective for objective in objectives if objective is not None]
    objective = None
    # Goals and saved encodings alone leave nothing to choose: a person weighs them.
    own = any(part.objective is not None for part in parts)
    if several and own and len(known) == len(parts):
        reward = weighted_sum(known, weights)
        rewards = reward(bundle.reference_features)
        if np.ptp(rewards) > 1e-6 * np.abs(rewards).max():
            uses = frozenset().union(*(part.uses for part in known))
            objective = objective_of(reward, uses, rewards)
            ways = encoded_ways(bundle, encoder, rewards, uses, several=True, present=present)
            proposals = np.concatenate([proposals, ways.proposals])
    return Task(
        text=blend_text([part.text for part in parts], weights),
        proposals=proposals,
        objective=objective,
        warnings=tuple(
            f"{shortened(part.text)}: {warning}" for part in parts for warning in part.warnings
        ),
    )
