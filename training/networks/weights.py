"""A model's weights on disk, as safetensors."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from fb_ros.errors import FbRosError
from fb_ros.whole_file import whole_file


def write_weights(networks: nn.Module, path: Path) -> None:
    """Writes the weights whole or not at all."""
    # The normalisers are shared between networks; safetensors stores no sharing.
    weights = {name: copied(value) for name, value in networks.state_dict().items()}
    with whole_file(path) as partial:
        save_file(weights, partial)


def copied(tensor: torch.Tensor) -> torch.Tensor:
    """A copy on the CPU, for a file that can be read on any machine."""
    return tensor.detach().to("cpu", copy=True)


def read_weights(path: Path) -> dict[str, torch.Tensor]:
    """Reads weights; a missing or damaged file is refused by name."""
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise FbRosError(f"{path} is not readable: {error}") from error


def load_weights(networks: nn.Module, weights: dict[str, torch.Tensor], source: Path) -> None:
    """Loads weights into networks of the same sizes; others are refused in one line."""
    own = {name: tuple(value.shape) for name, value in networks.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in weights.items()}
    differing = sorted(name for name in own | found if own.get(name) != found.get(name))
    if differing:
        name = differing[0]
        raise FbRosError(
            f"{source} does not fit the networks: {name} is {found.get(name)}, expected "
            f"{own.get(name)} ({len(differing)} such); use the settings it was trained with"
        )
    networks.load_state_dict(weights)
