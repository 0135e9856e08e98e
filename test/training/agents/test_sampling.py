"""States drawn evenly over a box, and what an observation says of the features of B."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from fb_ros.errors import FbRosError
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_state import RobotState
from sim.robots.jaco import ARM_JOINTS, FINGER_JOINTS, SPEC
from sim.robots.registry import make_environment
from training.agents.agent import Agent
from training.agents.recipes import agent_config
from training.agents.sampler import Sampler
from training.collecting.collect_config import CollectConfig
from training.commands.collect import collect
from training.data.data import EvenStates, Transitions
from training.networks.observed_features import ObservedFeatures


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Transitions:
    folder = tmp_path_factory.mktemp("data")
    collect(
        CollectConfig(
            robot="point_mass", out=folder, episodes=40, episode_steps=50, seed=2, workers=1
        )
    )
    return Transitions((folder,), make_environment("point_mass").spec)


def test_every_cell_of_the_box_is_as_frequent_as_the_others(data: Transitions) -> None:
    low, high = torch.tensor([-0.2, -0.2, 0.0]), torch.tensor([0.2, 0.2, 0.1])
    even = EvenStates(data, slice(0, 3), low, high, 0.1)
    rows = even.sample(20_000, torch.Generator().manual_seed(0))
    points = data.features_at(rows)[:, :3]
    assert torch.all((points >= low) & (points <= high))
    cells = ((points[:, :2] - low[:2]) / 0.1).long().clamp(max=3)
    counts = torch.bincount(cells[:, 0] * 4 + cells[:, 1])
    counts = counts[counts > 0].double()
    assert len(counts) > 4
    assert counts.min() > 0.8 * counts.mean()
    # The data themselves are far from even.
    points = torch.cat([points for _, points in data.following_features(slice(0, 3))])
    inside = ((points >= low) & (points <= high)).all(-1)
    cells = ((points[inside, :2] - low[:2]) / 0.1).long().clamp(max=3)
    uneven = torch.bincount(cells[:, 0] * 4 + cells[:, 1]).double()
    assert uneven[uneven > 0].min() < 0.5 * uneven.mean()


def test_a_box_without_states_is_refused(data: Transitions) -> None:
    with pytest.raises(FbRosError, match="the data hold no cell"):
        EvenStates(data, slice(0, 3), torch.full((3,), 7.0), torch.full((3,), 8.0), 0.1)


def test_features_are_read_off_the_observation() -> None:
    names = ("finger_opening", "tcp_pos", "tcp_axis", "joint_vel")
    observed = ObservedFeatures(SPEC, names)
    rng = np.random.default_rng(0)
    orientation = rng.normal(size=4)
    state = RobotState(
        joint_names=ARM_JOINTS + FINGER_JOINTS,
        joint_position=rng.uniform(0.2, 1.3, size=9),
        joint_velocity=rng.normal(size=9),
        tcp_position=rng.normal(size=3),
        tcp_orientation=orientation / np.linalg.norm(orientation),
    )
    expected = assemble([SPEC.feature(name) for name in names], state)
    observation = torch.from_numpy(assemble(SPEC.observation, state)).float()
    np.testing.assert_allclose(observed(observation).numpy(), expected, atol=1e-5)


def test_a_feature_that_the_observation_lacks_is_named() -> None:
    with pytest.raises(FbRosError, match="B reads joint_pos, which the observation of jaco lacks"):
        ObservedFeatures(SPEC, ("joint_pos",))


CONFIG = agent_config(
    "fb_ar",
    "reaching",
    features=("tcp_pos", "joint_vel"),
    d=16,
    blocks=4,
    feature_blocks=(3, 1),
    open_shares=(0.2, 0.6),
    hidden=16,
    batch=64,
    groups=64,
    negatives=4,
    goal_share=0.5,
    region_share=0.2,
    reward_share=0.3,
    reward_states=16,
)


def test_every_task_of_an_update_asks_for_something(data: Transitions) -> None:
    spec = make_environment("point_mass").spec
    networks = Agent(CONFIG, spec, data).networks
    generator = torch.Generator().manual_seed(0)
    sampler = Sampler(CONFIG, spec, data, networks)
    z = torch.cat([sampler.sample_z(generator) for _ in range(30)])
    norms = z.unflatten(-1, (4, 4)).norm(dim=-1)
    asked = norms > 0
    assert torch.all(asked.any(-1))
    torch.testing.assert_close(norms[asked], torch.full_like(norms[asked], 2.0))
    # Blocks of one feature are open together.
    assert torch.equal(asked[:, 0], asked[:, 1])
    assert torch.equal(asked[:, 0], asked[:, 2])
    # All open is made into the first asked: 0.2 * 0.6 of them.
    assert asked[:, 0].float().mean() == pytest.approx(0.8 + 0.2 * 0.6, abs=0.04)
    assert asked[:, 3].float().mean() == pytest.approx(0.4, abs=0.04)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"feature_blocks": (2, 1)}, "feature_blocks"),
        ({"feature_blocks": (4,)}, "feature_blocks"),
        ({"feature_blocks": (4, 0)}, "feature_blocks"),
        ({"open_shares": (0.5,)}, "open_shares"),
        ({"open_shares": (0.5, 1.5)}, "open_shares"),
        ({"feature_blocks": ()}, "open_shares"),
        ({"goal_share": 0.9}, "a sum up to 1"),
        ({"box_share": 2.0}, "box_share"),
    ],
)
def test_settings_that_do_not_fit_are_named(changes: dict[str, object], message: str) -> None:
    with pytest.raises(FbRosError, match=message):
        dataclasses.replace(CONFIG, **changes)  # type: ignore[arg-type]
