"""How this process computes."""

from __future__ import annotations

import torch

from training.compute.device import CPU


def set_up(threads: int = 0, device: torch.device = CPU) -> None:
    """Takes so many CPU threads (0: PyTorch's choice), this GPU, and tiny numbers for zero.

    To be called before anything else is computed, since threads inherit it. Below about 1e-38,
    where the moments in Adam of a weight at rest end up, processors take many times as long.
    """
    torch.set_flush_denormal(True)
    if threads:
        torch.set_num_threads(threads)
    if device.type == "cuda":
        # Pinned memory and nccl go by the current one.
        torch.cuda.set_device(device)
