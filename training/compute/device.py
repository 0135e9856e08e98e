"""The device of training: the CPU, or a GPU through CUDA.

Data and random numbers stay on the CPU, so that training is the same everywhere up to rounding;
each update moves the part that it needs.
"""

from __future__ import annotations

import os
import re

import torch

from fb_ros.errors import FbRosError

CPU = torch.device("cpu")
_NAMES = re.compile(r"cpu|auto|cuda(:\d+)?")


def choose_device(name: str) -> torch.device:
    """The device `name`: `cpu`, `cuda`, `cuda:N`, or `auto` for `cuda` if there is one.

    Each process that `torchrun` starts on a machine takes the GPU of its own number. Refuses a
    device that this PyTorch does not have.
    """
    if not _NAMES.fullmatch(name):
        raise FbRosError(f"device is {name!r}, expected cpu, cuda, cuda:N or auto")
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name == "cpu" or (name == "auto" and not count):
        return CPU
    if not count:
        raise FbRosError(
            f"device is {name!r}, and PyTorch {torch.__version__} finds the cpu alone; use "
            "--device cpu, or install a PyTorch and a driver for CUDA"
        )
    number = name.partition(":")[2]
    last = f"the last is cuda:{count - 1}"
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        if number:
            raise FbRosError(
                f"device is {name!r}, and each process that torchrun starts takes a GPU of its "
                "own; use --device cuda"
            )
        index = int(os.environ.get("LOCAL_RANK", "0"))
        remedy = f"use torchrun --nproc-per-node {count}, or --device cpu"
    else:
        index, remedy = int(number or 0), "use one that is there, or --device cpu"
    if index >= count:
        raise FbRosError(f"there is no cuda:{index}, {last}; {remedy}")
    return torch.device("cuda", index)


def moved(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor on `device`; moving it to a GPU does not wait for the GPU's current work."""
    if tensor.device == device:
        return tensor
    # A copy runs in parallel with this process only from pinned memory.
    source = tensor.pin_memory() if device.type == "cuda" else tensor
    return source.to(device, non_blocking=True)


def wait_for(device: torch.device) -> None:
    """Waits until the device has finished its work; the CPU always has."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def device_name(device: torch.device) -> str:
    """The device's name for a record: `cpu`, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
