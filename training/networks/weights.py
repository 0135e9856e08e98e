"""A model's weights on disk, as safetensors."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from fb_ros.errors import FbRosError
from fb_ros.plain_file import require_plain
from fb_ros.whole_file import whole_file

_DIGEST = "sha256"


def write_weights(networks: nn.Module, path: Path) -> None:
    """Writes the weights completely or not at all."""
    # Networks share the normalisers; safetensors cannot store shared tensors.
    weights = {name: copied(value) for name, value in networks.state_dict().items()}
    write_tensors(path, weights, {})


def copied(tensor: torch.Tensor) -> torch.Tensor:
    """A copy on the CPU, for a file that can be read on any machine."""
    return tensor.detach().to("cpu", copy=True)


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], notes: Mapping[str, str]
) -> None:
    """Writes tensors with notes and a digest of both, completely or not at all."""
    with whole_file(path) as partial:
        save_file(dict(tensors), partial, metadata={**notes, _DIGEST: _digest(tensors, notes)})


def read_tensors(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, str]]:
    """Reads a file of `write_tensors`, with its digest; safetensors itself misses a flipped bit.

    Raises:
        FbRosError: The file is missing, no plain file, or damaged.
    """
    real = require_plain(path)
    try:
        with safe_open(real, "pt") as file:
            notes = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except Exception as error:  # safetensors and torch raise anything for a damaged file.
        raise FbRosError(f"{path} is not readable: {' '.join(str(error).split())}") from error
    # Files of earlier versions have no digest.
    expected = notes.pop(_DIGEST, None)
    if expected is not None and expected != _digest(tensors, notes):
        raise FbRosError(f"{path} is damaged: its contents are not those that were written")
    return tensors, notes


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Reads weights; refuses a missing or damaged file by name."""
    return read_tensors(path)[0]


def load_weights(networks: nn.Module, weights: dict[str, torch.Tensor], source: Path) -> None:
    """Loads weights into networks of the same sizes; refuses others in one line."""
    own = {name: tuple(value.shape) for name, value in networks.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in weights.items()}
    differing = sorted(name for name in own | found if own.get(name) != found.get(name))
    if differing:
        name = differing[0]
        raise FbRosError(
            f"{source} does not fit the networks: {name} is {found.get(name)}, expected "
            f"{own.get(name)} ({len(differing)} such); use the settings it was trained with"
        )
    for name, value in networks.state_dict().items():
        if weights[name].dtype != value.dtype or not bool(torch.isfinite(weights[name]).all()):
            raise FbRosError(
                f"{source}: {name} is {weights[name].dtype}, or not all of it is finite; "
                f"expected finite {value.dtype}"
            )
    networks.load_state_dict(weights)


def _digest(tensors: Mapping[str, torch.Tensor], notes: Mapping[str, str]) -> str:
    """SHA-256 over the names, shapes, types and bytes of all tensors, and over the notes."""
    digest = hashlib.sha256(json.dumps(dict(sorted(notes.items()))).encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
