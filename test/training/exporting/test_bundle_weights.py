"""A bundle gives back the weights that were exported, and no others."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from fb_ros.bundle.description import write_description
from fb_ros.errors import FbRosError
from fb_ros.paths import find_bundle
from sim.robots import point_mass
from sim.robots.registry import make_environment
from training.agents.agent_networks import Networks
from training.agents.recipes import agent_config
from training.exporting.bundle_weights import bundle_weights
from training.exporting.write_bundle import model_description, write_model
from training.networks.forward_map import DynamicsForwardMap

SPEC = point_mass.SPEC
AGENT = agent_config(
    "fb_ar",
    "reaching",
    features=("tcp_pos", "joint_vel"),
    feature_blocks=(3, 1),
    blocks=4,
    d=64,
    hidden=64,
)


def random_networks(seed: int) -> Networks:
    """As training leaves them: no two weights alike, normalisers fitted."""
    torch.manual_seed(seed)
    networks = Networks(AGENT, SPEC).eval()
    for value in (*networks.parameters(), networks.backward_map.frequencies):
        value.data.add_(0.1 * torch.randn_like(value))
    for normalizer in (networks.policy.observation, networks.backward_map.features):
        normalizer.mean.normal_()
        normalizer.scale.uniform_(0.5, 2.0)
    assert isinstance(networks.forward_map, DynamicsForwardMap)
    networks.forward_map.dynamics.change.uniform_(0.5, 2.0)
    return networks


def test_a_bundle_gives_back_the_weights_that_were_exported(tmp_path: Path) -> None:
    exported, networks = random_networks(0), random_networks(1)
    states = torch.randn(8, SPEC.feature_dim), torch.randn(8, SPEC.obs_dim)
    write_model(exported, AGENT, SPEC, *states, tmp_path)
    write_description(
        tmp_path, {**model_description(AGENT, SPEC), "provenance": {}, "evaluation": {}}
    )
    weights, model_id = bundle_weights(networks, AGENT, SPEC, tmp_path)
    assert len(model_id) == 64
    networks.load_state_dict(weights)
    for name, value in exported.state_dict().items():
        torch.testing.assert_close(networks.state_dict()[name], value, msg=name, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"algorithm": "fb", "blocks": 1}, "algorithm"),
        ({"features": ("tcp_axis",)}, "features"),
        ({"d": 64}, "lengths of the blocks"),
        ({"hidden": 64}, "expected"),
        ({"forward": "direct"}, "dynamics"),
    ],
)
def test_a_bundle_of_other_settings_is_refused_by_the_name_of_what_differs(
    change: dict[str, Any], name: str
) -> None:
    spec = make_environment("jaco").spec
    agent = dataclasses.replace(agent_config("fb_ar", "reaching"), **change)
    with pytest.raises(FbRosError, match=name):
        bundle_weights(Networks(agent, spec), agent, spec, find_bundle(Path("jaco")))


def test_a_bundle_of_another_robot_is_refused() -> None:
    with pytest.raises(FbRosError, match="model of jaco"):
        bundle_weights(Networks(AGENT, SPEC), AGENT, SPEC, find_bundle(Path("jaco")))
