"""`fb_ros export`: a trained model as a bundle, with the graphs that the robot runs."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import shutil
import warnings
from pathlib import Path

import onnx
import torch
from safetensors.numpy import save_file
from torch import nn

from fb_ros.bundle import (
    DESCRIPTION,
    FORMAT_VERSION,
    POLICY,
    REFERENCE_STATES,
    TASK_ENCODER,
    VALUE,
    file_hashes,
    load_bundle,
    model_id_of,
)
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.robot_spec import RobotSpec
from sim.registry import make_environment
from training.agent_config import AgentConfig
from training.agent_networks import Networks
from training.collect import data_fingerprint
from training.data import Transitions
from training.encoding import Encoding, encode
from training.evaluate import EvaluateConfig, evaluate
from training.record import read_record
from training.sampler import even_states
from training.train import BEST, LAST, RUN
from training.weights import load_weights, read_weights

# The lowest that the exporter writes by itself; it converts to lower ones only in part.
_OPSET = 18


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig(CommandConfig):
    """Write a bundle from a training run, after evaluating it."""

    run: Path = Path("runs/jaco")
    """Folder of the training run."""
    data: tuple[Path, ...] = (Path("data/jaco"),)
    """The data that it was trained on, for the reference states."""
    out: Path = Path("models/jaco")
    """Folder of the bundle; what was there is replaced once the new one is whole."""
    weights: str = "best"
    """`best` or `last`."""
    reference_states: int = 10_000
    """States sampled from the data that travel with the model."""
    goals: int = 100
    """Goals of the evaluation that is written into the bundle."""
    seed: int = 0
    """Seed of the sample and of the evaluation."""


class PolicyGraph(nn.Module):
    """`observation (1, obs_dim)` and `z (1, d)` to `action (1, act_dim)` in `[-1, 1]`."""

    def __init__(self, networks: Networks) -> None:
        super().__init__()
        self.policy = networks.policy

    def forward(self, observation: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        action: torch.Tensor = self.policy(observation, z)
        return action


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


def export(config: ExportConfig) -> Result:
    """Writes the bundle and returns its description."""
    run = read_run(config.run)
    spec = make_environment(run["robot"]).spec
    agent = agent_of(run, config.run)
    out = config.out.resolve()
    _refuse_to_replace(out)
    if config.weights not in ("best", "last"):
        raise FbRosError(f"weights is {config.weights!r}, expected best or last")
    networks = Networks(agent, spec)
    weights = config.run / {"best": BEST, "last": LAST}[config.weights]
    load_weights(networks, read_weights(weights), weights)
    networks.eval()
    found, expected = data_fingerprint(config.data), run["data"]["fingerprint"]
    if found != expected:
        raise FbRosError(
            f"{' '.join(map(str, config.data))}: fingerprint {found[:12]}…, the run was trained "
            f"on {expected[:12]}…; name the same folders in the same order"
        )
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    write_graphs(networks, agent, spec, partial)
    _write_reference_states(config, agent, spec, partial)
    description = {
        **model_description(agent, spec),
        "provenance": {
            "weights": config.weights,
            **{name: value for name, value in run.items() if name not in ("last", "best")},
        },
        "evaluation": {},
    }
    write_description(partial, description)
    measured = evaluate(EvaluateConfig(bundle=partial, goals=config.goals, seed=config.seed))
    description["evaluation"] = {
        name: value for name, value in measured.items() if name not in ("model_id", "seconds")
    }
    write_description(partial, description)
    load_bundle(partial)
    shutil.rmtree(out, ignore_errors=True)
    partial.rename(out)
    return {"out": str(config.out), **measured}


def model_description(agent: AgentConfig, spec: RobotSpec) -> dict[str, object]:
    """What a bundle says of a model, whatever its weights are."""
    return {
        "format_version": FORMAT_VERSION,
        "robot": spec.to_json(),
        "algorithm": agent.algorithm,
        "gamma": agent.gamma,
        "blocks": list(agent.sizes),
        "encoder_features": list(agent.features),
        "block_features": [list(names) for names in agent.block_features],
    }


def write_graphs(networks: Networks, agent: AgentConfig, spec: RobotSpec, folder: Path) -> None:
    """The three ONNX graphs of a model, with names, shapes and normalisers."""
    read = int(networks.columns.numel())
    n = torch.export.Dim("n", min=1)
    observation, action = torch.zeros(1, spec.obs_dim), torch.zeros(1, spec.act_dim)
    z = torch.zeros(1, agent.d)
    _write(
        PolicyGraph(networks),
        {"observation": observation, "z": z},
        ("action",),
        folder / POLICY,
        {},
    )
    # Two rows where any number is meant: the exporter takes a single one for a constant.
    _write(
        TaskEncoderGraph(networks),
        {
            "features": torch.zeros(2, read),
            "weights": torch.ones(2),
            "reward": torch.ones(2),
            "asked": torch.ones(agent.blocks),
        },
        ("z", "mean"),
        folder / TASK_ENCODER,
        {"features": {0: n}, "weights": {0: n}, "reward": {0: n}, "asked": {}},
    )
    rows = {"observation": observation, "action": action, "z": z, "reward": z}
    _write(
        ValueGraph(networks),
        {name: value.expand(2, -1) for name, value in rows.items()},
        ("q",),
        folder / VALUE,
        {name: {0: n} for name in rows},
    )


def _write(
    graph: nn.Module,
    inputs: dict[str, torch.Tensor],
    outputs: tuple[str, ...],
    path: Path,
    dynamic: dict[str, dict[int, torch.export.Dim]],
) -> None:
    # The exporter reports its progress on standard output, which belongs to the result.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.eval(),
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            opset_version=_OPSET,
            dynamic_shapes=dynamic or None,
            external_data=False,
            dynamo=True,
        )
    model = onnx.load(path)
    _strip(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _strip(model: onnx.ModelProto) -> None:
    """Removes the exporter's notes, which hold source lines and paths of this machine."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
    for initializer in graph.initializer:
        del initializer.metadata_props[:]
        initializer.doc_string = ""


def _write_reference_states(
    config: ExportConfig, agent: AgentConfig, spec: RobotSpec, folder: Path
) -> None:
    """A sample of `rho`, the measure that the independent states were drawn from in training."""
    data = Transitions(config.data, spec)
    generator = torch.Generator().manual_seed(config.seed)
    count = min(config.reference_states, len(data))
    rows = data.rows_of(torch.randperm(len(data), generator=generator)[:count])
    even = even_states(agent, spec, data)
    if even:
        drawn = torch.rand(count, generator=generator) < agent.box_share
        rows[drawn] = even.sample(int(drawn.sum()), generator)
    write_states(folder, data.features_at(rows), data.observation_at(rows))


def write_states(folder: Path, features: torch.Tensor, observation: torch.Tensor) -> None:
    """Writes the reference states, `(n, feature_dim)` and `(n, obs_dim)`."""
    path = folder / REFERENCE_STATES
    save_file({"features": features.numpy(), "observation": observation.numpy()}, path)
    path.chmod(0o644)  # safetensors makes it readable by its owner alone.


def write_description(folder: Path, description: dict[str, object]) -> None:
    """Writes `bundle.json` beside the files that it describes."""
    hashes = file_hashes(folder)
    whole = {**description, "model_id": model_id_of(hashes), "files": hashes}
    (folder / DESCRIPTION).write_text(json.dumps(whole, indent=1) + "\n", encoding="utf-8")


def read_run(folder: Path) -> Result:
    """The record of a training run; refuses a folder that holds none."""
    path = folder / RUN
    if not path.is_file():
        raise FbRosError(
            f"{folder} holds no training run (no {RUN}); make one with `fb_ros train`"
        )
    return read_record(path)


def agent_of(run: Result, folder: Path) -> AgentConfig:
    """The settings of a run's agent; refuses those of another version."""
    try:
        return AgentConfig.from_json(run["agent"])
    except (KeyError, TypeError, FbRosError) as error:
        raise FbRosError(
            f"{folder / RUN} is not of this version of fb_ros ({error}); train anew"
        ) from error


def _refuse_to_replace(folder: Path) -> None:
    """Only a bundle, or nothing at all, may be replaced by a bundle."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / DESCRIPTION).is_file():
        raise FbRosError(f"{folder} holds something that is not a bundle; choose another --out")


def _show(result: Result) -> str:
    return (
        f"{result['out']}: model {result['model_id'][:12]}, success {result['success']:.2f}, "
        f"return {result['mean_return']:.1f} on {result['episodes']} goals"
    )


COMMAND = Command(config=ExportConfig, run=export, show=_show)
