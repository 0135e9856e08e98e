"""Checks the golden vectors of a bundle on every backend that this machine has."""

from __future__ import annotations

import math
from typing import Any

from fb_ros.backends import ENGINE_BACKENDS, ONNXRUNTIME, backend_class
from fb_ros.backends.backend import Backend, GraphFile, one_line
from fb_ros.backends.graphs import GRAPHS, HALF, PRECISIONS
from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.golden import golden_errors, tolerated_error


def open_backend(name: str, file: GraphFile) -> Backend:
    """Opens a graph on exactly that backend, without a fallback."""
    backend: Backend = backend_class(name)(file)
    return backend


def present_backends() -> tuple[list[str], dict[str, str]]:
    """The backends that this machine has, and why it lacks the others."""
    present, absent = [ONNXRUNTIME], {}
    for name in ENGINE_BACKENDS:
        try:
            backend_class(name).require_present()
        except Exception as error:  # A driver or library raises any exception.
            absent[name] = one_line(error)
        else:
            present.append(name)
    return present, absent


def check_backends(bundle: Bundle) -> tuple[list[dict[str, Any]], dict[str, str]]:
    """A row for each backend, precision, graph and output; and why other backends are absent.

    If a graph does not load or run, its row has no error but the reason, in `failure`.
    """
    present, absent = present_backends()
    rows = []
    for backend in present:
        for precision in PRECISIONS:
            for graph in GRAPHS if precision == "fp32" else HALF:
                file = bundle.graph_file(graph, precision=precision)
                tolerated = tolerated_error(backend, precision)
                row = {"backend": backend, "precision": precision, "graph": file.path.name}
                try:
                    loaded = open_backend(backend, file)
                    errors = golden_errors(loaded, bundle.golden[graph])
                except Exception as error:
                    rows.append({**row, "failure": one_line(error), "ok": False})
                    continue
                rows += [
                    {
                        **row,
                        "runtime": loaded.runtime,
                        "output": output,
                        "error": error if math.isfinite(error) else None,
                        "tolerated": tolerated,
                        "ok": error <= tolerated,
                    }
                    for output, error in errors.items()
                ]
    return rows, absent
