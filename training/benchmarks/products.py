"""How much of an update is products of matrices, and how fast this machine makes them."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch
from torch.utils.flop_counter import FlopCounterMode

_REPEATS = 25


def flop_of(update: Callable[[], None]) -> int:
    """Floating-point operations of the products in one update, forward and backward."""
    with FlopCounterMode(display=False) as counter:
        update()
    return int(counter.get_total_flops())


def layer_rate(batch: int, hidden: int) -> float:
    """Floating-point operations a second of a hidden layer's product, with the present threads:
    `(batch, hidden)` times `(hidden, hidden)`, in float32."""
    rows, weights = torch.randn(batch, hidden), torch.randn(hidden, hidden)
    out = torch.empty_like(rows)
    seconds = []
    for _ in range(_REPEATS):
        started = time.perf_counter()
        torch.mm(rows, weights, out=out)
        seconds.append(time.perf_counter() - started)
    return 2.0 * batch * hidden * hidden / statistics.median(seconds)
