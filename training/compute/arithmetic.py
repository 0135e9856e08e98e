"""Threads, device and precision of this process's computations."""

from __future__ import annotations

import torch

from training.compute.device import CPU


def set_up(threads: int = 0, device: torch.device = CPU) -> None:
    """Sets the number of CPU threads (0: PyTorch's choice) and the GPU, and flushes tiny numbers
    to 0.

    Call it before any computation, since threads inherit the settings. Numbers below about 1e-38,
    which Adam's moments of a weight at rest reach, take processors many times as long.
    """
    torch.set_flush_denormal(True)
    if threads:
        torch.set_num_threads(threads)
    if device.type == "cuda":
        # Pinned memory and nccl use the current device.
        torch.cuda.set_device(device)


def bfloat16_pays(device: torch.device) -> bool:
    """Whether `device` multiplies matrices of bfloat16 faster than those of float32.

    GPUs do, and so do x86 processors with AMX, and AMD's with AVX-512. Intel's AVX-512 without AMX
    multiplies pairs of bfloat16 at half the speed of float32 (81 and 155 GFLOP/s on a Xeon of 2023
    whose AMX its hypervisor hides), and so do processors that have to convert them first.
    """
    if device.type != "cpu":
        return True
    found = torch.cpu.get_capabilities()
    if found["architecture"] != "x86_64":
        return True
    by_pairs = found["avx512_bf16"] and "Intel" not in found["cpu_name"]
    return bool(found["amx_bf16"] or by_pairs)


class HiddenPrecision:
    """bfloat16 for the hidden layers only, if wanted and faster: losses need all digits of
    float32."""

    def __init__(self, bfloat16: bool, device: torch.device) -> None:
        self._device, self._enabled = device.type, bfloat16 and bfloat16_pays(device)

    def __call__(self) -> torch.autocast:
        """The context in which hidden layers are computed."""
        return torch.autocast(self._device, torch.bfloat16, enabled=self._enabled)
