"""Names for the parts of an update, as a profile reports them."""

from __future__ import annotations

import torch

PREFIX = "update: "


def part(name: str) -> torch.profiler.record_function:
    """Marks the computation within as this part; costs almost nothing without a profiler."""
    return torch.profiler.record_function(PREFIX + name)
