"""The weights of a bundle, read back from its graphs, so that training can start from them."""

from __future__ import annotations

from pathlib import Path

import onnx
import torch
from onnx import numpy_helper

from fb_ros.backends.graphs import POLICY, VALUE
from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.bundle.files import DESCRIPTION
from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks

# The value's graph holds `F` and `B`, and the policy's graph the policy, under their own names.
_PREFIX = "networks."
_UNREAD_BY_ONE_BLOCK = "backward_map.z_part.weight"
# Buffers that depend only on the settings, which are compared.
_OF_SETTINGS = (
    *("columns", "backward_map.views", "backward_map.block_view", "backward_map.mask"),
    *("observed.matrix", "observed.offset"),
)


def bundle_weights(
    networks: Networks, agent: AgentConfig, spec: RobotSpec, folder: Path
) -> tuple[dict[str, torch.Tensor], str]:
    """The weights and normalisers of a bundle, for networks of its settings, and the model's id.

    They are the exported, averaged ones. Refuses a bundle of another robot or of other settings,
    by the name of the first that differs, and one whose `F` is direct: then only the encoder reads
    `B`, and its graph cuts the weights into blocks.
    """
    if agent.forward != "dynamics":
        raise FbRosError(
            f"the graphs of {folder} hold all weights only where F uses dynamics; start from "
            "the weights beside its training run"
        )
    bundle = load_bundle(folder)
    _require_same(bundle, agent, spec)
    found: dict[str, torch.Tensor] = {}
    for file in (POLICY, VALUE):
        for weight in onnx.load(bundle.path / file).graph.initializer:
            value = torch.from_numpy(numpy_helper.to_array(weight).copy())
            found[weight.name.removeprefix(_PREFIX)] = value
    own = networks.state_dict()
    # A graph stores weights that several networks share once.
    shared = {_place(own[name]): value for name, value in found.items() if name in own}
    weights = {}
    for name, value in own.items():
        unread = value.numel() == 0 or (agent.blocks == 1 and name == _UNREAD_BY_ONE_BLOCK)
        if name in _OF_SETTINGS or unread:
            weights[name] = value.cpu()
            continue
        weight = found.get(name, shared.get(_place(value)))
        if weight is None or weight.shape != value.shape:
            shape = None if weight is None else tuple(weight.shape)
            raise FbRosError(
                f"{folder} does not fit the networks: {name} is {shape}, expected "
                f"{tuple(value.shape)}; use the settings in its {DESCRIPTION}, under provenance"
            )
        weights[name] = weight
    return weights, bundle.model_id


def _require_same(bundle: Bundle, agent: AgentConfig, spec: RobotSpec) -> None:
    if bundle.robot != spec:
        raise FbRosError(
            f"{bundle.path} is a model of {bundle.robot.name}, or of another description of it, "
            f"and not of this {spec.name}; start from another one"
        )
    for name, found, expected in (
        ("algorithm", bundle.algorithm, agent.algorithm),
        ("features", tuple(bundle.encoder_features), agent.features),
        ("lengths of the blocks", tuple(bundle.blocks), agent.sizes),
        (
            "features of each block",
            tuple(tuple(names) for names in bundle.block_features),
            agent.block_features,
        ),
    ):
        if found != expected:
            raise FbRosError(
                f"{bundle.path} does not fit the settings: its {name}: {found}, not {expected}; "
                f"use those in its {DESCRIPTION}, under provenance"
            )


def _place(tensor: torch.Tensor) -> tuple[int, tuple[int, ...]]:
    return tensor.data_ptr(), tuple(tensor.shape)
