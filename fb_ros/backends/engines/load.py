"""Loads an engine for the GPU at hand."""

from __future__ import annotations

import logging
from typing import Any, NamedTuple

from fb_ros.backends.backend import GraphFile
from fb_ros.backends.engines.build import Found, Progress, find_or_build
from fb_ros.backends.engines.cache import EngineCache
from fb_ros.backends.engines.cuda import Device
from fb_ros.backends.engines.library import EngineLibrary
from fb_ros.backends.engines.log import listening
from fb_ros.errors import FbRosError

_LOG = logging.getLogger(__name__)


class Loaded(NamedTuple):
    """An engine that has been loaded."""

    found: Found
    engine: Any
    runtime: Any
    """The library's runtime, which has to outlive the engine."""


def load_engine(
    library: EngineLibrary,
    graph: GraphFile,
    device: Device,
    *,
    cache: EngineCache,
    build: bool = True,
    progress: Progress | None = None,
) -> Loaded:
    """Loads the engine of a graph, and builds one if none is there or none loads.

    Without `build`, a graph is refused in both cases.
    """
    library.require_capability(device.capability)
    found = find_or_build(library, graph, device, cache=cache, build=build, progress=progress)
    runtime, engine, failure = _deserialize(library, found)
    if engine is None and found.cached and build:
        _LOG.warning(
            "the engine of %s does not load (%s); building it again", graph.path.name, failure
        )
        cache.forget(found.key)
        found = find_or_build(library, graph, device, cache=cache, progress=progress)
        runtime, engine, failure = _deserialize(library, found)
    if engine is None:
        remedy = f"; `fb_ros build-engine --runtime {library.name}` builds it again"
        raise FbRosError(
            f"{library.title} {library.version} does not load the engine of {graph.path.name}: "
            + failure
            + (remedy if found.cached else "")
        )
    return Loaded(found, engine, runtime)


def _deserialize(library: EngineLibrary, found: Found) -> tuple[Any, Any, str]:
    """The library's runtime and the engine, or None and the reason."""
    trt = library.module
    with listening(trt) as log:
        runtime = trt.Runtime(log)
        engine = runtime.deserialize_cuda_engine(found.engine.plan)
        return runtime, engine, log.failure or "it does not say why"
