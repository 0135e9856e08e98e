"""Inference runtimes behind one small contract, one file each."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from typing import Any

from fb_ros.backends.backend import Backend, GraphFile, one_line
from fb_ros.backends.reserve import WithReserve
from fb_ros.errors import FbRosError

_LOG = logging.getLogger(__name__)

ONNXRUNTIME = "onnxruntime"
# Modules are imported on demand: each brings a runtime that a machine may not have.
_BACKENDS = {
    ONNXRUNTIME: ("fb_ros.backends.onnxruntime_backend", "OnnxRuntimeBackend"),
    "tensorrt": ("fb_ros.backends.engines.tensorrt_backend", "TensorRtBackend"),
    "tensorrt_rtx": ("fb_ros.backends.engines.tensorrt_rtx_backend", "TensorRtRtxBackend"),
}
ENGINE_BACKENDS = ("tensorrt", "tensorrt_rtx")
"""Backends that run on a GPU, in the order in which `auto` tries them."""

BACKEND_NAMES = ("auto", *_BACKENDS)


def backend_class(name: str) -> Any:
    """The class of the backend called `name`; refuses a name that does not exist."""
    if name not in _BACKENDS:
        raise FbRosError(f"there is no backend {name!r}; possible: {', '.join(BACKEND_NAMES)}")
    module, cls = _BACKENDS[name]
    return getattr(importlib.import_module(module), cls)


_TOLD: set[str] = set()
"""Reasons for not using a GPU that have been logged already."""


def make_backend(
    name: str, graph: GraphFile, verify: Callable[[Backend], None] = lambda backend: None
) -> Backend:
    """Loads `graph` with the backend called `name`, one that `verify` does not refuse.

    A GPU's backend builds the engine if there is none, and falls back to ONNX Runtime where it
    fails, then or later. `auto` takes a GPU only if its engine has been built, and builds none:
    nobody waits for an engine that they did not ask for.
    """
    if name == ONNXRUNTIME:
        return _verified(backend_class(name)(graph), verify)
    tried = ENGINE_BACKENDS if name == "auto" else (name,)
    reasons = []
    for engine_backend in tried:
        cls = backend_class(engine_backend)
        try:
            first = _verified(cls(graph, build=name != "auto"), verify)
        except Exception as error:  # A driver or library raises any exception; the robot runs.
            reasons.append(f"{engine_backend}: {one_line(error)}")
            continue
        reserve = make_backend(ONNXRUNTIME, graph, verify)
        _LOG.info("%s: %s runs on %s", name, graph.path.name, first.runtime)
        return WithReserve(first, reserve)
    reserve = make_backend(ONNXRUNTIME, graph, verify)
    level = logging.INFO if name == "auto" else logging.WARNING
    why = "; ".join(reasons)
    if name == "auto" and why in _TOLD:
        # Every graph of a model has the same reasons: they are long, so they are logged once.
        _LOG.log(level, "%s: %s runs on %s, too", name, graph.path.name, reserve.runtime)
    else:
        _LOG.log(
            level, "%s: %s runs on %s, because %s", name, graph.path.name, reserve.runtime, why
        )
    _TOLD.add(why)
    return reserve


def _verified(backend: Backend, verify: Callable[[Backend], None]) -> Backend:
    verify(backend)
    return backend
