"""Makes one task of several prompts."""

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
from fb_ros.task_inference.task_encoder import TaskEncoder
from fb_ros.task_inference.tasks.task import Task


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
    """The task of `parts` with `weights`; `objectives` are the objectives of the parts.

    Its encodings lie between those of its parts; if all parts' objectives are known, others are
    those of the sum of their rewards. `several` and `present` are those of `encoded_ways`.
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
    # Goals and saved encodings by themselves leave nothing to choose: a person weights them.
    own = several and any(part.objective is not None for part in parts)
    found = blend_objective(bundle, weights, objectives) if own else None
    objective = None
    if found is not None:
        objective, rewards = found
        ways = encoded_ways(
            bundle, encoder, rewards, objective.uses, several=True, present=present
        )
        proposals = np.concatenate([proposals, ways.proposals])
    return Task(
        text=blend_text([part.text for part in parts], weights),
        proposals=proposals,
        objective=objective,
        warnings=tuple(
            f"{shortened(part.text)}: {warning}" for part in parts for warning in part.warnings
        ),
    )


def blend_objective(
    bundle: Bundle, weights: Sequence[float], objectives: Sequence[Objective | None]
) -> tuple[Objective, np.ndarray] | None:
    """The sum of the parts' objectives, and its rewards of the reference states, `(n,)`.

    None where a part's objective is unknown, or where the sum is the same everywhere.
    """
    known = [objective for objective in objectives if objective is not None]
    if len(known) < len(weights):
        return None
    reward = weighted_sum(known, weights)
    features = bundle.reference_features
    rewards = reward(features)
    if np.ptp(rewards) <= 1e-6 * np.abs(rewards).max():
        return None
    uses = frozenset().union(*(part.uses for part in known))
    return objective_of(reward, uses, features, rewards), rewards
