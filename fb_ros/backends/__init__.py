"""Inference runtimes behind one small contract, one file each."""

from __future__ import annotations

import importlib
from pathlib import Path

from fb_ros.backends.backend import Backend
from fb_ros.errors import FbRosError

# Modules are imported on demand: each brings a runtime that a machine may not have.
_BACKENDS = {"onnxruntime": ("fb_ros.backends.onnxruntime_backend", "OnnxRuntimeBackend")}

BACKEND_NAMES = ("auto", *_BACKENDS)


def make_backend(name: str, graph: Path, threads: int = 1) -> Backend:
    """Loads `graph` with the backend called `name`; `auto` takes the first that is installed.

    `threads` is the number of CPU threads it may take, where it runs on a CPU.
    """
    if name not in BACKEND_NAMES:
        raise FbRosError(f"there is no backend {name!r}; possible: {', '.join(BACKEND_NAMES)}")
    module, cls = _BACKENDS["onnxruntime" if name == "auto" else name]
    backend: Backend = getattr(importlib.import_module(module), cls)(graph, threads)
    return backend
