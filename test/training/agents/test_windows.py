"""Tasks that a trajectory achieved."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from fb_ros.errors import FbRosError
from fb_ros.robot.field import layout_slices
from sim.robots.go2 import SPEC
from training.agents.agent_config import AgentConfig
from training.agents.windows import Windows
from training.data.data import Transitions
from training.data.flat_data import FlatData, in_memory

SLICES = layout_slices(SPEC.features)
# Two episodes; in the second it walks, for a short time.
LONG, SHORT = 400, 100


@pytest.fixture(scope="module")
def data() -> Transitions:
    rows = LONG + SHORT + 2
    features = np.zeros((rows, SPEC.feature_dim))
    # The number of a row, to tell it by, and how fast it goes there.
    features[:, SLICES["torso_pos"].start] = np.arange(rows)
    features[:, SLICES["torso_up"].stop - 1] = 1.0
    features[LONG + 50 :, SLICES["torso_vel"].start] = 1.0
    flat = in_memory(
        np.zeros((rows, SPEC.obs_dim)), np.zeros((rows, SPEC.act_dim)), features, np.ones(rows)
    )
    flat = dataclasses.replace(flat, steps=np.array([LONG, SHORT]))
    assert isinstance(flat, FlatData)
    return Transitions.of(flat, SPEC)


def test_a_group_comes_from_one_window_and_its_task_from_what_followed(data: Transitions) -> None:
    config = AgentConfig(goal_share=0.0, future_share=1.0)
    windows = Windows(config, SPEC, data)
    rows, states = windows.own_future(64, 8, torch.Generator().manual_seed(0))
    rows = rows.view(64, 8)
    mean = states[:, SLICES["torso_pos"].start]
    assert torch.all(rows.amax(1) - rows.amin(1) < config.window_steps)
    # In the same episode, and after the window's last row.
    assert torch.equal((rows > LONG).any(1), (rows > LONG).all(1))
    assert torch.equal(mean > LONG, (rows > LONG).all(1))
    assert torch.all(mean > rows.amax(1))
    later = mean - rows.amin(1)
    assert torch.all(later <= config.window_steps + config.future_steps[1] + config.future_span)
    # The mean of a whole stride of row numbers lies half a stride after its first row.
    half = (config.future_span - 1) / 2
    inside = mean + half < LONG
    assert inside.any()
    assert torch.all((mean + half)[inside] % 1 == 0)
    assert torch.all(mean[inside] - half > rows.amax(1)[inside])


def test_a_share_of_the_tasks_lies_further_ahead(data: Transitions) -> None:
    config = AgentConfig(goal_share=0.0, future_share=1.0, far_share=0.5, far_steps=40)
    windows = Windows(config, SPEC, data)
    rows, states = windows.own_future(2000, 1, torch.Generator().manual_seed(0))
    mean = states[:, SLICES["torso_pos"].start]
    half = (config.future_span - 1) / 2
    whole = (mean + half < LONG) & (mean - half > config.window_steps + config.far_steps)
    ahead = (mean - half - rows)[whole]
    nearest = config.window_steps + config.future_steps[1]
    assert ahead.min() >= 1
    assert ahead.max() <= config.window_steps + config.far_steps + 1
    # Half of them are no further than without; of the others, as many in every doubling.
    assert 0.3 < (ahead > nearest).float().mean() < 0.5
    assert 0.08 < (ahead > 20).float().mean() < 0.25


def test_rare_velocities_are_drawn_more_often(data: Transitions) -> None:
    generator = torch.Generator().manual_seed(0)
    shares = []
    for rare in (0.0, 1.0):
        config = AgentConfig(goal_share=0.0, future_share=1.0, rare_share=rare)
        states = Windows(config, SPEC, data).own_future(500, 1, generator)[1]
        shares.append(float((states[..., SLICES["torso_vel"].start] > 0.5).float().mean()))
    assert shares[1] > 1.5 * shares[0] > 0.0


def test_a_robot_without_velocities_has_no_rare_ones(data: Transitions) -> None:
    still = dataclasses.replace(SPEC, velocity_features=(), velocity_widths=())
    with pytest.raises(FbRosError, match="rare_share"):
        Windows(AgentConfig(goal_share=0.0, future_share=1.0, rare_share=0.5), still, data)


def test_tasks_are_velocities_that_were_kept() -> None:
    rows, held = 1201, 100
    features = np.zeros((rows, SPEC.feature_dim))
    features[:, SLICES["torso_up"].stop - 1] = 1.0
    # It walks for two seconds and stands for two; before the last 200 it fell.
    walks = (np.arange(rows) // held) % 2 == 1
    features[:, SLICES["torso_vel"].start + 1] = walks
    features[-200:, SLICES["torso_up"].stop - 1] = -1.0
    flat = in_memory(
        np.zeros((rows, SPEC.obs_dim)), np.zeros((rows, SPEC.act_dim)), features, np.ones(rows)
    )
    data = Transitions.of(dataclasses.replace(flat, steps=np.array([rows - 1])), SPEC)
    generator = torch.Generator().manual_seed(0)
    for rare in (0.0, 0.5):
        config = AgentConfig(goal_share=0.0, future_share=1.0, rare_share=rare, steady=1.0)
        states = Windows(config, SPEC, data).own_future(500, 1, generator)[1]
        speed = states[:, SLICES["torso_vel"].start + 1]
        # A stride in which a tenth is of another velocity still counts.
        assert torch.all((speed < 0.15) | (speed > 0.85))
        assert (speed < 0.15).any()
        assert (speed > 0.85).any()
        assert torch.all(states[:, SLICES["torso_up"].stop - 1] > 0.0)


def test_tasks_are_postures_that_were_kept() -> None:
    rows, held = 1200, 100
    features = np.zeros((rows + 1, SPEC.feature_dim))
    features[:, SLICES["torso_up"].stop - 1] = 1.0
    # Every other two seconds it moves between two heights, between which it stays at one.
    time = np.arange(rows + 1)
    ramp = np.interp(time, np.arange(0, rows + held, held), np.tile([0.1, 0.1, 0.3, 0.3], 4)[:13])
    features[:, SLICES["torso_height"].start] = ramp
    flat = in_memory(
        np.zeros((rows + 1, SPEC.obs_dim)),
        np.zeros((rows + 1, SPEC.act_dim)),
        features,
        np.ones(rows + 1),
    )
    data = Transitions.of(dataclasses.replace(flat, steps=np.array([rows])), SPEC)
    between = []
    generator = torch.Generator().manual_seed(0)
    for steady in (0.0, 1.0):
        config = AgentConfig(goal_share=0.0, future_share=1.0, steady=steady)
        states = Windows(config, SPEC, data).own_future(500, 1, generator)[1]
        height = states[:, SLICES["torso_height"].start]
        between.append(float(((height > 0.15) & (height < 0.25)).float().mean()))
    assert between[0] > 0.15
    assert between[1] < 0.01
