"""The whole state of a training in one file; it resumes bit for bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from fb_ros.errors import FbRosError
from fb_ros.plain_file import require_plain
from training.agents.agent import Agent
from training.compute.flat_parameters import views
from training.networks.weights import copied, load_weights, read_tensors, write_tensors
from training.runs.verify_records import verify_checkpoint

_RECORD, _GENERATORS = "record", "generators"
_STEP, _MOMENTS = "step", ("exp_avg", "exp_avg_sq")  # Names in Adam's state.


def write_checkpoint(
    path: Path, agent: Agent, generators: torch.Tensor, record: dict[str, Any]
) -> None:
    """Writes networks, optimisers, the generators' states `(processes, bytes)` and a record."""
    tensors = {
        f"{part}.{name}": copied(value)
        for part, networks in _networks(agent).items()
        for name, value in networks.state_dict().items()
    }
    for name, moments in _moments(agent).items():
        tensors |= {f"{name}.{moment}": copied(value) for moment, value in moments.items()}
    tensors[_GENERATORS] = generators
    write_tensors(path, tensors, {_RECORD: json.dumps(record)})


def read_record_of(path: Path) -> dict[str, Any]:
    """The record of a checkpoint; refuses a damaged file by name."""
    real = require_plain(path)
    try:
        with safe_open(real, "pt") as file:
            record = json.loads(file.metadata()[_RECORD])
        return verify_checkpoint(record, path)
    except Exception as error:  # safetensors and JSON raise anything for a damaged file.
        reason = " ".join(str(error).split())
        raise FbRosError(
            f"{path} is not a whole checkpoint ({reason}); delete it to start over, or start from "
            "the weights beside it with --init"
        ) from error


def load_checkpoint(path: Path, agent: Agent) -> torch.Tensor:
    """Restores the agent's state, and returns the states of the generators."""
    tensors, _ = read_tensors(path)
    for part, networks in _networks(agent).items():
        prefix = f"{part}."
        own = {
            name.removeprefix(prefix): value
            for name, value in tensors.items()
            if name.startswith(prefix)
        }
        load_weights(networks, own, path)
    for name, moments in _moments(agent).items():
        for moment, value in moments.items():
            found = _like(value, f"{name}.{moment}", tensors, path)
            if moment == _STEP:
                # Older files have a lower value for a parameter without a gradient.
                torch.maximum(value, found.to(value.device), out=value)
            else:
                value.copy_(found)
    return _like(torch.get_rng_state()[None], _GENERATORS, tensors, path, any_length=True)


def _like(
    own: torch.Tensor,
    name: str,
    tensors: dict[str, torch.Tensor],
    path: Path,
    *,
    any_length: bool = False,
) -> torch.Tensor:
    """The tensor of that name; refuses a missing one, and one of another shape or type."""
    found, first = tensors.get(name), int(any_length)
    if found is None or found.dtype != own.dtype or found.shape[first:] != own.shape[first:]:
        what = "nothing" if found is None else f"{found.dtype} of shape {tuple(found.shape)}"
        raise FbRosError(
            f"{path} does not fit the training: {name} is {what}, expected {own.dtype} of shape "
            f"{tuple(own.shape)}"
        )
    return found


def _networks(agent: Agent) -> dict[str, torch.nn.Module]:
    networks: dict[str, torch.nn.Module] = {"networks": agent.networks, "target": agent.target}
    if agent.averaged is not agent.networks:
        networks["averaged"] = agent.averaged
    return networks


def _moments(agent: Agent) -> dict[str, dict[str, torch.Tensor]]:
    """Adam's moments of each parameter, by name; zeros before the first update."""
    moments = {}
    parts = iter(zip(agent.online.parts, agent.online.parameters, strict=True))
    for name, optimizer in (("adam", agent.optimizer), ("adam_policy", agent.policy_optimizer)):
        index = 0
        for _ in optimizer.param_groups:
            part, parameters = next(parts)
            state = optimizer.state[part]
            if not state:
                state[_STEP] = torch.zeros((), device=part.device)
                for moment in _MOMENTS:
                    state[moment] = torch.zeros_like(part)
            split = {moment: views(state[moment], parameters) for moment in _MOMENTS}
            for number in range(len(parameters)):
                own = {moment: values[number] for moment, values in split.items()}
                moments[f"{name}.{index}"] = {_STEP: state[_STEP], **own}
                index += 1
    return moments
