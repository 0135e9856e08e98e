"""Times a bundle's graphs on every backend that this machine has."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from fb_ros.backends import ONNXRUNTIME
from fb_ros.backends.backend import Backend, one_line
from fb_ros.backends.graphs import (
    BEST_OF,
    CANDIDATES,
    POLICY,
    PRECISIONS,
    TASK_ENCODER,
    Precision,
)
from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.check_backends import open_backend, present_backends
from fb_ros.task_inference.task_encoder import TaskEncoder, encoder_threads

Row = dict[str, object]

CASES = {POLICY: "policy", BEST_OF: f"best_of_{CANDIDATES}", TASK_ENCODER: "encode"}
"""Name of each graph in a row."""
# Calls for each repeat: short calls get many, so that the rare slow one shows.
_CALLS = {POLICY: 100, BEST_OF: 10, TASK_ENCODER: 1}


def graph_inputs(bundle: Bundle, graph: str) -> dict[str, np.ndarray]:
    """Inputs that the graph is timed with; all the reference states for the encoder."""
    rng = np.random.default_rng(0)
    robot = bundle.robot
    if graph == TASK_ENCODER:
        features = TaskEncoder(bundle, ONNXRUNTIME).reference
        weights = rng.random(len(features), dtype=np.float32)
        return {
            "features": features,
            "weights": weights,
            "reward": weights,
            "asked": np.ones(len(bundle.blocks), dtype=np.float32),
        }
    rows = CANDIDATES if graph == BEST_OF else 1
    return {
        "observation": bundle.reference_observations[:1],
        "z": rng.standard_normal((1, bundle.z_dim), dtype=np.float32),
        "noise": rng.standard_normal((rows, robot.act_dim), dtype=np.float32),
    }


def inference_rows(bundle: Bundle, repeats: int, graphs: tuple[str, ...]) -> list[Row]:
    """A row for each graph, backend and precision; FP16 only where it is computed in FP16.

    If a graph does not load or run, its row has no figures but the reason, in `failure`.
    """
    present, _ = present_backends()
    rows = []
    for graph in graphs:
        inputs = graph_inputs(bundle, graph)
        for name in present:
            for precision in PRECISIONS if name != ONNXRUNTIME else PRECISIONS[:1]:
                row: Row = {"case": CASES[graph], "backend": name, "precision": precision}
                try:
                    loaded, load_ms = _load(bundle, graph, name, precision)
                    call = functools.partial(loaded.run, inputs)
                    row |= {"load_ms": load_ms, **call_figures(graph, call, repeats)}
                except Exception as error:  # A driver or library raises any exception.
                    row |= {"failure": one_line(error), "ok": False}
                rows.append(row)
    return rows


def call_figures(graph: str, call: Callable[[], Any], repeats: int) -> dict[str, float]:
    """Percentiles of the time of a call, in milliseconds, and calls per second."""
    for _ in range(3):
        call()
    times = np.empty(repeats * _CALLS[graph])
    for i in range(len(times)):
        started = time.perf_counter()
        call()
        times[i] = time.perf_counter() - started
    p50, p99, p99_9 = np.percentile(times, [50, 99, 99.9]) * 1e3
    return {
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "p99_9_ms": float(p99_9),
        "max_ms": float(times.max() * 1e3),
        "per_s": float(len(times) / times.sum()),
    }


def _load(bundle: Bundle, graph: str, name: str, precision: Precision) -> tuple[Backend, float]:
    """The graph, and its load time in milliseconds with its engine in the cache."""
    threads = encoder_threads() if graph == TASK_ENCODER else 1
    file = bundle.graph_file(graph, threads, precision)
    open_backend(name, file)  # Builds the engine, and compiles its kernels for this GPU.
    started = time.perf_counter()
    loaded = open_backend(name, file)
    return loaded, 1e3 * (time.perf_counter() - started)
