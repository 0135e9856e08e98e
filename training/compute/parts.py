"""Names for the parts of an update, which a profile reports by."""

from __future__ import annotations

import torch

PREFIX = "update: "


def part(name: str) -> torch.profiler.record_function:
    """Marks what is computed within as this part; costs next to nothing without a profiler."""
    return torch.profiler.record_function(PREFIX + name)
