"""The contract of an inference runtime."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from fb_ros.backends.graphs import Precision, Shapes
from fb_ros.errors import FbRosError


@dataclasses.dataclass(frozen=True, kw_only=True)
class GraphFile:
    """A graph to be loaded, and what a runtime has to know of its use."""

    path: Path
    """The ONNX file."""
    precision: Precision = "fp32"
    """That in which the file was made."""
    threads: int = 1
    """CPU threads that it may take, where it runs on a CPU."""
    usual_rows: int = 1
    """Length for which it should be fast, of inputs that may have any."""
    most_rows: int = 1
    """The largest length that they will have."""


class InputRefused(FbRosError):
    """An input that a backend does not take, which says nothing against the backend."""


class Backend(Protocol):
    """One loaded graph.

    Errors of `run` are `FbRosError`, in one line, and `InputRefused` where it is the input's
    fault; outputs are the caller's own.
    """

    @property
    def name(self) -> str:
        """Name of the backend, as a person chooses it."""

    @property
    def runtime(self) -> str:
        """The runtime and the device, for a log line."""

    @property
    def input_shapes(self) -> Shapes:
        """Shape of each input; None where the graph takes any length."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which `run` returns them."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Evaluates the graph on inputs that become float32; all outputs, in the graph's order."""


def require_shapes(inputs: Mapping[str, np.ndarray], expected: Shapes) -> None:
    """Refuses inputs that a graph with inputs of the `expected` shapes does not take."""
    if inputs.keys() != expected.keys():
        raise InputRefused(
            f"the graph was given {', '.join(inputs) or 'nothing'}, it takes {', '.join(expected)}"
        )
    for name, shape in expected.items():
        found = np.shape(inputs[name])
        if len(found) != len(shape) or any(
            size not in (None, have) for have, size in zip(found, shape, strict=True)
        ):
            sizes = ", ".join("any" if size is None else str(size) for size in shape)
            raise InputRefused(f"{name} has shape {found}, the graph takes ({sizes})")
    # Whatever may have any length has that of the others.
    lengths = {
        name: np.shape(inputs[name])[shape.index(None)]
        for name, shape in expected.items()
        if None in shape
    }
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{length} of {name}" for name, length in lengths.items())
        raise InputRefused(f"there are {said}; the graph takes as many of each")


def one_line(error: Exception) -> str:
    """An error in one line: a refusal as it is, another with its kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, FbRosError) else f"{type(error).__name__}: {text}"
