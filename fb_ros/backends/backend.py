"""The contract of an inference runtime."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np


class Backend(Protocol):
    """One loaded graph."""

    @property
    def input_shapes(self) -> dict[str, tuple[int | None, ...]]:
        """Shape of each input; None where the graph takes any length."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which `run` returns them."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Evaluates the graph on float32 inputs; all outputs, in the graph's order."""
