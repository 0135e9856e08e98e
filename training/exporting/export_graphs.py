"""The ONNX graphs of a model: self-describing, and in two precisions."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from pathlib import Path

import onnx
import torch
from onnx import version_converter
from torch import nn

from fb_ros.backends.graphs import BEST_OF, CANDIDATES, HALF, POLICY, TASK_ENCODER, VALUE
from fb_ros.robot.field import Field
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.agents.losses import pessimistic
from training.exporting.half_precision import half_precision
from training.networks.encoding import Encoding, encode

# torch writes 18 at the lowest; TensorRT reads 17 from 8.6 to 11, and has since before 8.6.
_TORCH_OPSET, _OPSET = 18, 17
_IR_VERSION = 8  # Of the ONNX release that brought opset 17.


class PolicyGraph(nn.Module):
    """`observation (1, obs_dim)`, `z (1, d)` and `noise (n, act_dim)` to actions in `[-1, 1]`.

    `action (n, act_dim)` is `mean + scale * noise`, clipped; `mean` and `scale` are `(1,
    act_dim)`. The scale of a policy without one of its own is that of its exploration noise.
    """

    def __init__(self, networks: Networks, agent: AgentConfig) -> None:
        super().__init__()
        self.policy = networks.policy
        self.register_buffer("spread", torch.full((1, networks.policy.act_dim), agent.noise))
        self.spread: torch.Tensor

    def forward(
        self, observation: torch.Tensor, z: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        mean, scale = self.policy.mean_and_scale(observation, z)
        if not self.policy.learns_scale:
            # Not a constant: a runtime may refuse an output that no node computes.
            scale = self.spread + 0.0 * mean
        return (mean + scale * noise).clamp(-1.0, 1.0), mean, scale


class BestOfGraph(nn.Module):
    """Evaluation-based sampling: the action, among noisy ones, that `F` values most.

    Takes what the policy takes, with `noise (m, act_dim)`, and gives `action (1, act_dim)` and
    `q (m,)`, in which the spread of the ensemble counts as it did for the actor in training.
    """

    def __init__(self, networks: Networks, agent: AgentConfig) -> None:
        super().__init__()
        self.policy_graph = PolicyGraph(networks, agent)
        self.networks = networks
        self.pessimism = agent.actor_pessimism

    def forward(
        self, observation: torch.Tensor, z: torch.Tensor, noise: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        actions = self.policy_graph(observation, z, noise)[0]
        count = noise.shape[0]
        members = self.networks.q_of(observation.expand(count, -1), actions, z.expand(count, -1))
        q = pessimistic(members, self.pessimism)
        # TensorRT takes the largest of a row, and not of a vector.
        return actions.index_select(0, q.unsqueeze(0).argmax(1)), q


class TaskEncoderGraph(nn.Module):
    """`features (n, …)`, `weights` and `reward` `(n,)` and `asked (blocks,)` to `z` and `mean`."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.backward_map = networks.backward_map

    def forward(
        self,
        features: torch.Tensor,
        weights: torch.Tensor,
        reward: torch.Tensor,
        asked: torch.Tensor,
    ) -> Encoding:
        return encode(self.backward_map, features, weights, asked, reward)


class ValueGraph(nn.Module):
    """`observation`, `action`, `z` and `reward`, `(n, …)` each, to `q (P, n)`.

    `reward` is `z` for `Q`, or the mean `E[r B]` of a reward; a row of `q` is a member of `F`.
    """

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.networks = networks

    def forward(
        self,
        observation: torch.Tensor,
        action: torch.Tensor,
        z: torch.Tensor,
        reward: torch.Tensor,
    ) -> torch.Tensor:
        return self.networks.q_of(observation, action, z, reward)


def graph_modules(networks: Networks, agent: AgentConfig) -> dict[str, nn.Module]:
    """What each graph computes."""
    return {
        POLICY: PolicyGraph(networks, agent),
        BEST_OF: BestOfGraph(networks, agent),
        TASK_ENCODER: TaskEncoderGraph(networks),
        VALUE: ValueGraph(networks),
    }


OUTPUTS = {
    POLICY: ("action", "mean", "scale"),
    BEST_OF: ("action", "q"),
    TASK_ENCODER: ("z", "mean"),
    VALUE: ("q",),
}


def write_graphs(networks: Networks, agent: AgentConfig, spec: RobotSpec, folder: Path) -> None:
    """Writes the graphs of a model, with names, units, normalisers and FP16 variants."""
    read = int(networks.columns.numel())
    observation, z = torch.zeros(1, spec.obs_dim), torch.zeros(1, agent.d)
    n = torch.export.Dim("n", min=1)
    # Two rows where any number is meant: the exporter takes a single one for a constant.
    pairs = {"observation": observation, "action": torch.zeros(1, spec.act_dim), "z": z}
    pairs = {name: value.expand(2, -1) for name, value in (pairs | {"reward": z}).items()}
    states = {
        "features": torch.zeros(2, read),
        "weights": torch.ones(2),
        "reward": torch.ones(2),
        "asked": torch.ones(len(agent.sizes)),
    }
    inputs: dict[str, dict[str, torch.Tensor]] = {
        POLICY: {"observation": observation, "z": z, "noise": torch.zeros(1, spec.act_dim)},
        BEST_OF: {
            "observation": observation,
            "z": z,
            "noise": torch.zeros(CANDIDATES, spec.act_dim),
        },
        TASK_ENCODER: states,
        VALUE: pairs,
    }
    dynamic: dict[str, dict[str, dict[int, torch.export.Dim]]] = {
        TASK_ENCODER: {name: {} if name == "asked" else {0: n} for name in states},
        VALUE: {name: {0: n} for name in pairs},
    }
    meanings = _meanings(agent, spec)
    for file, module in graph_modules(networks, agent).items():
        model = _export(module, inputs[file], OUTPUTS[file], dynamic.get(file))
        _describe(model, file, meanings)
        _save(model, folder / file)
        if file in HALF:
            _save(half_precision(model), folder / HALF[file])


def _export(
    module: nn.Module,
    inputs: dict[str, torch.Tensor],
    outputs: tuple[str, ...],
    dynamic: dict[str, dict[int, torch.export.Dim]] | None,
) -> onnx.ModelProto:
    # The exporter reports its progress on standard output, which belongs to the result.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=_TORCH_OPSET,
            dynamic_shapes=dynamic,
            dynamo=True,
        )
    assert program is not None  # It is None only where torch writes the file itself.
    model = program.model_proto
    _strip(model)
    model = version_converter.convert_version(model, _OPSET)
    model.ir_version = _IR_VERSION
    return model


def _strip(model: onnx.ModelProto) -> None:
    """Removes the exporter's notes, which hold source lines and paths of this machine."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
    for initializer in graph.initializer:
        del initializer.metadata_props[:]
        initializer.doc_string = ""
    for node in graph.node:
        # Reductions over no axes at all, which opset 17 cannot say, do not occur.
        for attribute in [a for a in node.attribute if a.name == "noop_with_empty_axes"]:
            node.attribute.remove(attribute)


def _meanings(agent: AgentConfig, spec: RobotSpec) -> dict[str, str]:
    """What the inputs and outputs hold, component by component, with units."""
    actions = ", ".join(spec.action_joints)
    z = f"task encoding, {_blocks(agent.sizes)}"
    return {
        "observation": _layout(spec.observation),
        "features": _layout([spec.feature(name) for name in agent.features]),
        "z": z + ", each of norm sqrt(its length) or zero",
        "noise": f"standard normal, or zero for the mean action: {actions}",
        "action": f"-1 to 1 from the lowest to the highest command: {actions}",
        "mean": f"the action without noise: {actions}",
        "scale": f"standard deviation of the noise on the action: {actions}",
        "weights": "weight of each state in z",
        "reward": "reward of each state",
        "asked": "1 for each block that the task is about, 0 for one that it leaves open",
        "q": "discounted return of the reward that z stands for",
    }


def _layout(fields: list[Field] | tuple[Field, ...]) -> str:
    return ", ".join(f"{field.name}[{field.size}] {field.unit}".strip() for field in fields)


def _describe(model: onnx.ModelProto, file: str, meanings: dict[str, str]) -> None:
    """Says in the graph itself what goes in and what comes out."""
    own = dict(meanings)
    if file == TASK_ENCODER:
        own["mean"] = "E[r B(s, z)], in units of the reward"
    if file == VALUE:
        own["reward"] = "z for Q, or E[r B(s, z)] for the return of another reward r"
    model.doc_string = (graph_doc := file.removesuffix(".onnx"))
    model.graph.name = graph_doc
    described = {}
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = own[value.name]
        described[value.name] = own[value.name]
    onnx.helper.set_model_props(model, {"fb_ros": json.dumps(described)})


def _save(model: onnx.ModelProto, path: Path) -> None:
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _blocks(sizes: tuple[int, ...]) -> str:
    """`4 blocks of 16`, or the length of each."""
    if len(set(sizes)) == 1:
        return f"{len(sizes)} blocks of {sizes[0]}"
    return f"{len(sizes)} blocks of {', '.join(map(str, sizes))}"
