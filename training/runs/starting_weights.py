"""Initial weights of a training, from another run or from a bundle."""

from __future__ import annotations

from pathlib import Path

import torch

from fb_ros.command import Result
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.data.record import read_record
from training.exporting.bundle_weights import bundle_weights
from training.networks.weights import read_weights
from training.runs.run_record import RUN


def starting_weights(
    init: Path, networks: Networks, agent: AgentConfig, spec: RobotSpec
) -> tuple[dict[str, torch.Tensor], Result]:
    """The weights in the file or bundle `init`, and the record of their origin.

    For a bundle, the record is its model's id; for a file, it is the record of the run beside it.
    """
    if init.is_dir():
        weights, model_id = bundle_weights(networks, agent, spec, init)
        return weights, {"model_id": model_id}
    record = init.with_name(RUN)
    run = read_record(record) if record.is_file() else {}
    return read_weights(init), {"weights": init.name, **run}
