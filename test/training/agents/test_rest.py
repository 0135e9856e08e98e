"""The price on motion that a task does not need."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from fb_ros.robot.field import layout_slices
from sim.robots.jaco import SPEC
from training.agents.losses import effort
from training.agents.recipes import agent_config
from training.agents.rest import at_rest, fulfilled_parts, motion, moved_parts
from training.data.data import Transitions
from training.data.flat_data import in_memory

SLICES = layout_slices(SPEC.features)
FEATURES = ("tcp_pos", "tcp_axis", "finger_opening")
# What each feature of this robot is changed by: a made-up arm, whose hand two joints turn.
MOVERS = {"tcp_pos": (0, 1, 2), "tcp_axis": (1, 4), "finger_opening": (6, 7, 8)}


@pytest.fixture(scope="module")
def data() -> Transitions:
    rng = np.random.default_rng(0)
    rows = 5000
    actions = rng.uniform(-1.0, 1.0, (rows, SPEC.act_dim))
    changes = np.zeros((rows, SPEC.feature_dim))
    for name, joints in MOVERS.items():
        for joint in joints:
            # The sign depends on the posture.
            ways = rng.normal(size=(rows, SLICES[name].stop - SLICES[name].start))
            changes[:, SLICES[name]] += 0.01 * ways * actions[:, [joint]]
    flat = in_memory(np.zeros((rows, SPEC.obs_dim)), actions, changes.cumsum(0), np.ones(rows))
    return Transitions.of(dataclasses.replace(flat, steps=np.array([rows - 1])), SPEC)


def test_data_tell_what_each_joint_changes(data: Transitions) -> None:
    blocks = {"feature_blocks": (8, 2, 1), "blocks": 11, "d": 176}
    config = agent_config("fb_ar", "reaching", features=FEATURES, **blocks)
    moved = moved_parts(config, SPEC, data)
    for part, name in zip(moved, FEATURES, strict=True):
        assert part.nonzero()[:, 0].tolist() == list(MOVERS[name])
    one = moved_parts(dataclasses.replace(config, feature_blocks=()), SPEC, data)
    assert torch.equal(one, moved[:2].any(0, keepdim=True) | moved[2:])


def test_a_part_that_is_left_open_has_no_share() -> None:
    z = torch.tensor([[2.0, 0.0, 1.0], [2.0, 0.0, 0.0]])
    shares = fulfilled_parts(torch.tensor([[2.0, 5.0, 0.25], [1.0, 5.0, 9.0]]), z, (2, 1))
    torch.testing.assert_close(shares, torch.tensor([[1.0, 0.25], [0.5, torch.inf]]))


def test_a_joint_rests_by_the_square_of_how_far_all_that_it_can_change_is_fulfilled() -> None:
    # The first joint moves the first part, the second both, the third none.
    moved = torch.tensor([[True, True, False], [False, True, False]])
    fulfilled = torch.tensor([[0.9, 0.2], [-0.3, torch.inf], [torch.inf, 0.5], [1.2, 1.1]])
    expected = [[0.81, 0.04, 1.0], [0.0, 0.0, 1.0], [1.0, 0.25, 1.0], [1.0, 1.0, 1.0]]
    torch.testing.assert_close(at_rest(fulfilled, moved), torch.tensor(expected))


def test_motion_has_a_slope_near_zero_where_effort_has_none() -> None:
    action = torch.tensor([[0.0, 0.0], [0.05, 0.0], [1.0, -1.0]], requires_grad=True)
    rest = torch.tensor([1.0, 0.5]).expand(3, 2)
    priced = motion(action, rest)
    slope = torch.autograd.grad(priced.sum(), action)[0]
    assert float(priced[0].detach()) == pytest.approx(0.0, abs=1e-6)
    assert float(priced[2].detach()) == pytest.approx(0.75, abs=1e-2)
    assert float(slope[1, 0]) > 0.9 * float(slope[2, 0])
    assert float(slope[2, 1]) == pytest.approx(-0.5 * float(slope[2, 0]))
    assert float(slope[1, 1]) == 0.0
    assert torch.autograd.grad(effort(action)[1], action)[0][1, 0] < 0.2 * slope[1, 0]
