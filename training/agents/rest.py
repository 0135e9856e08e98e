"""The price on motion that a task does not need, joint by joint. Ours, in no paper.

A joint rests where everything that it can change is as the task asks. A gripper that has to close
may do so while the arm rests, and the arm may travel while the gripper rests.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch

from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import columns_of
from training.data.data import Transitions

# Transitions from which it is estimated what each joint changes, and the share of a feature's
# change that counts. For the arm, joints that change a feature explain at least 0.06 of it, and
# the others at most 0.02.
_TRANSITIONS, _LEAST = 50_000, 0.04
# Actions below this share of the largest one count as standing still.
_STILL = 0.005


def moved_parts(config: AgentConfig, spec: RobotSpec, data: Transitions) -> torch.Tensor:
    """Which parts of `z` each joint can change, booleans `(parts, act_dim)`.

    The squared change of a part's features over one control period is regressed on the squares of
    the actions; a joint changes the part if it explains more than a small share of the mean.
    """
    generator = torch.Generator().manual_seed(0)
    rows = data.draw(_TRANSITIONS, generator)
    squares = data.batch_at(rows).action.double().square()
    change = (data.features_at(rows + 1) - data.features_at(rows)).double().square()
    inputs = torch.cat([squares, squares.new_ones(len(squares), 1)], dim=1)
    names = config.features
    parts = [(name,) for name in names] if config.feature_blocks else [names]
    moved = []
    for part in parts:
        size = change[:, columns_of(spec.features, part)].sum(1)
        slopes = torch.linalg.lstsq(inputs, size.unsqueeze(1)).solution[:-1, 0]
        moved.append(slopes * squares.mean(0) > _LEAST * size.mean())
    return torch.stack(moved)


def fulfilled_parts(backward: torch.Tensor, z: torch.Tensor, sizes: Sequence[int]) -> torch.Tensor:
    """How far states `B(s)` `(..., d)` are what `z` `(..., d)` asks for, part by part; 1 is all
    of it, and infinity stands for a part that `z` leaves open: `(..., parts)`.

    It is `B_p^T z_p / |z_p|^2`; `sizes` are the parts' lengths.
    """
    shares = []
    for b, asked in zip(backward.split(list(sizes), -1), z.split(list(sizes), -1), strict=True):
        squares = asked.square().sum(-1)
        share = (b * asked).sum(-1) / squares.clamp(min=1e-3)
        shares.append(torch.where(squares > 0.0, share, torch.inf))
    return torch.stack(shares, dim=-1)


def at_rest(fulfilled: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
    """How far each joint should rest, 0 to 1, `(n, act_dim)`: the square of the least of what is
    `fulfilled` `(n, parts)` among the parts that it can change, `moved` `(parts, act_dim)`.

    A joint far from where it should be gains little by one step, so that the errors of `B` there
    would keep it still; their squares are small.
    """
    by_joint = torch.where(moved, fulfilled.unsqueeze(-1), torch.inf)
    return by_joint.amin(-2).clamp(0.0, 1.0).square()


def motion(action: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """The mean over the joints of an action's magnitude times `rest`, both `(n, act_dim)`; rounded
    off below `_STILL`, `(n,)`.

    Unlike a square, it has a slope near zero: motion that gains less than that does not happen.
    """
    return (rest * ((action.square() + _STILL**2).sqrt() - _STILL)).mean(-1)
