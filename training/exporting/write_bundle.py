"""The files of a bundle, written from networks."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.numpy import save_file

from fb_ros.bundle.files import GOLDEN, REFERENCE_STATES
from fb_ros.bundle.golden import write_golden
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.exporting.export_graphs import write_graphs
from training.exporting.golden import golden_vectors


def model_description(agent: AgentConfig, spec: RobotSpec) -> dict[str, object]:
    """A bundle's description of a model, without its weights."""
    return {
        "robot": spec.to_json(),
        "algorithm": agent.algorithm,
        "gamma": agent.gamma,
        "blocks": list(agent.sizes),
        "encoder_features": list(agent.features),
        "block_features": [list(names) for names in agent.block_features],
        **({"reference": "strides"} if agent.future_share else {}),
    }


def write_model(
    networks: Networks,
    agent: AgentConfig,
    spec: RobotSpec,
    features: torch.Tensor,
    observation: torch.Tensor,
    folder: Path,
) -> None:
    """Writes all of a bundle except its description; reference states are `(n, feature_dim)` and
    `(n, obs_dim)`."""
    write_graphs(networks, agent, spec, folder)
    write_golden(golden_vectors(networks, agent, features, observation), folder / GOLDEN)
    path = folder / REFERENCE_STATES
    save_file({"features": features.numpy(), "observation": observation.numpy()}, path)
    path.chmod(0o644)  # safetensors makes it readable only by its owner.
