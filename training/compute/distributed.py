"""Sums, means and gathers over several training processes, by `torch.distributed`.

Each process computes the gradient of its share of a batch; the mean of these is the gradient of
the whole batch. In a single process every function here is the identity. `torchrun` starts the
processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from fb_ros.errors import FbRosError
from training.compute.device import CPU


def join(device: torch.device = CPU) -> None:
    """Joins the other processes if `torchrun` started several; only the first one prints.

    Tensors on GPUs use nccl if `device` is a GPU; tensors on the CPU, such as the states of random
    generators, always use gloo.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not dist.is_initialized():
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")
        if rank():
            sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115


def leave() -> None:
    """Leaves the other processes."""
    if dist.is_initialized():
        dist.destroy_process_group()


def count() -> int:
    """Number of processes that train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Number of this process; process 0 evaluates and writes."""
    return dist.get_rank() if dist.is_initialized() else 0


def share(total: int, what: str) -> int:
    """This process's part of `total`; refuses a total that does not divide evenly."""
    if total % count():
        raise FbRosError(f"{what} is {total}, expected a multiple of the {count()} processes")
    return total // count()


def gather(rows: torch.Tensor) -> torch.Tensor:
    """The rows `(n, …)` of all processes, in their order, `(count n, …)`; constants."""
    if count() == 1:
        return rows.detach()
    parts = [torch.empty_like(rows) for _ in range(count())]
    dist.all_gather(parts, rows.detach().contiguous())
    return torch.cat(parts)


def gather_with_gradient(rows: torch.Tensor, dim: int = 0) -> torch.Tensor:
    """Gathers along `dim`; the gradient includes what the other processes do with these rows."""
    if count() == 1:
        return rows
    gathered: torch.Tensor = _Gather.apply(rows.movedim(dim, 0))
    return gathered.movedim(0, dim)


class _Gather(torch.autograd.Function):
    """`gather` whose gradient is the sum of the gradients of all processes."""

    @staticmethod
    def forward(context: Any, rows: torch.Tensor) -> torch.Tensor:
        return gather(rows)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        total = gradient.contiguous()
        dist.all_reduce(total)
        return total.chunk(count())[rank()]


def mean(value: torch.Tensor) -> torch.Tensor:
    """The mean over the processes; a constant."""
    if count() == 1:
        return value.detach()
    total = value.detach().clone()
    dist.all_reduce(total)
    return total / count()


def average_gradients(parameters: Iterable[torch.nn.Parameter]) -> None:
    """Replaces each gradient by its mean over the processes, in one exchange."""
    if count() == 1:
        return
    gradients = [p.grad for p in parameters if p.grad is not None]
    flat = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(flat)
    flat /= count()
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
