"""Bundles with random weights, for timing: the values do not affect the time."""

from __future__ import annotations

from pathlib import Path

import torch

from fb_ros.bundle.description import write_description
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.exporting.write_bundle import model_description, write_model


def write_untrained(
    agent: AgentConfig,
    spec: RobotSpec,
    features: torch.Tensor,
    observation: torch.Tensor,
    folder: Path,
) -> Networks:
    """Writes a bundle with these reference states, `(n, feature_dim)` and `(n, obs_dim)`."""
    torch.manual_seed(0)
    networks = Networks(agent, spec).eval()
    folder.mkdir()
    write_model(networks, agent, spec, features, observation, folder)
    write_description(
        folder, {**model_description(agent, spec), "provenance": {}, "evaluation": {}}
    )
    return networks
