"""Golden vectors: the trainer's float64 outputs for given inputs. They travel in the bundle.

A runtime on which a graph does not repeat them is not used for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from fb_ros.backends.backend import Backend
from fb_ros.backends.graphs import GRAPHS, Precision
from fb_ros.errors import FbRosError

# Largest error: of actions from -1 to 1, and of other outputs relative to their largest component.
_TENSORRT_FP32, _ONNXRUNTIME_FP32, _FP16 = 1e-3, 1e-5, 1e-2


class GoldenCase(NamedTuple):
    """One evaluation of a graph."""

    name: str
    inputs: dict[str, np.ndarray]
    """Float64 values that float32 holds exactly."""
    outputs: dict[str, np.ndarray]
    """Float64 values."""


Golden = dict[str, list[GoldenCase]]
"""Cases of each graph."""


def write_golden(golden: Golden, path: Path) -> None:
    """Writes the cases of each graph."""
    tensors = {
        f"{graph}/{case.name}/{side}/{name}": np.ascontiguousarray(value, dtype=np.float64)
        for graph, cases in golden.items()
        for case in cases
        for side, values in (("inputs", case.inputs), ("outputs", case.outputs))
        for name, value in values.items()
    }
    save_file(tensors, path)
    path.chmod(0o644)  # safetensors makes the file readable by its owner only.


def read_golden(path: Path) -> Golden:
    """Reads what `write_golden` wrote; refuses a file that is damaged or lacks a graph."""
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise FbRosError(f"{path} is not readable ({error}); copy the bundle again") from error
    cases: dict[tuple[str, str], GoldenCase] = {}
    for key in sorted(tensors):
        words = key.split("/")
        if len(words) != 4 or words[2] not in ("inputs", "outputs"):
            raise FbRosError(f"{path} holds {key!r}, expected GRAPH/CASE/inputs or outputs/NAME")
        graph, name, side, tensor = words
        case = cases.setdefault((graph, name), GoldenCase(name, {}, {}))
        (case.inputs if side == "inputs" else case.outputs)[tensor] = tensors[key]
    golden: Golden = {graph: [] for graph in GRAPHS}
    for (graph, _), case in cases.items():
        golden.setdefault(graph, []).append(case)
    for graph, found in golden.items():
        if not found or not all(case.inputs and case.outputs for case in found):
            raise FbRosError(f"{path} lacks golden vectors of {graph}; export the model again")
    return golden


def golden_errors(graph: Backend, cases: Iterable[GoldenCase]) -> dict[str, float]:
    """The largest error of each output over the cases.

    An action's error is in its own unit; another output's error is relative to its largest
    component where that is above 1. It is infinite where a number is missing or not finite.
    """
    errors: dict[str, float] = {}
    for case in cases:
        outputs = graph.run(case.inputs)
        found = dict(zip(graph.output_names, outputs, strict=True))
        for name, expected in case.outputs.items():
            error = np.inf
            if name in found and found[name].shape == expected.shape:
                worst = float(np.abs(found[name] - expected).max())
                if np.isfinite(worst):
                    error = worst / max(1.0, float(np.abs(expected).max()))
            errors[name] = max(errors.get(name, 0.0), error)
    return errors


def tolerated_error(runtime: str, precision: Precision) -> float:
    """The largest error that a runtime may make, by the name of its backend."""
    if precision == "fp16":
        return _FP16
    return _ONNXRUNTIME_FP32 if runtime == "onnxruntime" else _TENSORRT_FP32


def require_golden(graph: Backend, cases: Iterable[GoldenCase], precision: Precision) -> None:
    """Refuses a graph that does not repeat its golden vectors on its runtime."""
    limit = tolerated_error(graph.name, precision)
    for name, error in golden_errors(graph, cases).items():
        if not error <= limit:
            raise FbRosError(
                f"on {graph.runtime}, {name} is wrong by {error:.2g} on the model's golden "
                f"vectors, at most {limit:g} is tolerated"
            )
