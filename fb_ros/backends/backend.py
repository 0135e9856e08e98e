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
    """The file of a graph, and how a runtime will use it."""

    path: Path
    """The ONNX file."""
    precision: Precision = "fp32"
    """The precision in which the file was made."""
    threads: int = 1
    """Most CPU threads that the graph may take, where it runs on a CPU."""
    usual_rows: int = 1
    """Usual length of those inputs that may have any; the graph should be fast at it."""
    most_rows: int = 1
    """Largest length of those inputs."""


class InputRefused(FbRosError):
    """An input that a backend does not accept; the backend itself has not failed."""


class Backend(Protocol):
    """One loaded graph.

    Errors of `run` are `FbRosError`, in one line, and `InputRefused` where the input is at fault;
    outputs are the caller's own.
    """

    @property
    def name(self) -> str:
        """Name by which a person chooses the backend."""

    @property
    def runtime(self) -> str:
        """The runtime and the device, for a log line."""

    @property
    def input_shapes(self) -> Shapes:
        """Shape of each input; None where the graph accepts any length."""

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of the outputs, in the order in which `run` returns them."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Evaluates the graph on inputs that become float32; returns all outputs in its order."""


def require_shapes(inputs: Mapping[str, np.ndarray], expected: Shapes) -> None:
    """Refuses inputs that do not fit the `expected` shapes."""
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
    # All dimensions that may have any length must have the same one.
    lengths = {
        name: np.shape(inputs[name])[shape.index(None)]
        for name, shape in expected.items()
        if None in shape
    }
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{length} of {name}" for name, length in lengths.items())
        raise InputRefused(f"there are {said}; the graph takes as many of each")


def one_line(error: Exception) -> str:
    """An error in one line: a refusal unchanged, any other error with its class."""
    text = " ".join(str(error).split())
    return text if isinstance(error, FbRosError) else f"{type(error).__name__}: {text}"
