"""Makes a TensorRT engine from an ONNX graph, or takes it from the cache."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

from fb_ros.backends.backend import GraphFile
from fb_ros.backends.engines.cache import Engine, EngineCache, EngineKey, file_digest
from fb_ros.backends.engines.cuda import Device
from fb_ros.backends.engines.library import EngineLibrary
from fb_ros.backends.engines.log import listening
from fb_ros.errors import FbRosError

Progress = Callable[[str, float], None]
"""Gets the phase of a build and its finished share, 0 to 1."""


class Found(NamedTuple):
    """An engine, and whether it came from the cache."""

    engine: Engine
    key: EngineKey
    cached: bool


def engine_key(library: EngineLibrary, graph: GraphFile, device: Device) -> EngineKey:
    """The key of a graph's engine for that GPU, or for all GPUs of its compute capability."""
    return EngineKey(
        graph=file_digest(graph.path),
        flavour=library.name,
        version=library.version,
        capability=device.capability,
        device="" if library.portable else device.name,
        precision=graph.precision,
        rows=(graph.usual_rows, graph.most_rows),
    )


def find_or_build(
    library: EngineLibrary,
    graph: GraphFile,
    device: Device,
    *,
    cache: EngineCache,
    build: bool = True,
    progress: Progress | None = None,
) -> Found:
    """The engine from the cache, or a new one, which the cache then holds.

    Without `build` an engine that the cache lacks is refused.
    """
    key = engine_key(library, graph, device)
    engine = cache.load(key)
    if engine is not None:
        return Found(engine, key, True)
    if not build:
        raise FbRosError(
            f"there is no engine of {graph.path.name} in {graph.precision} for {library.title} "
            f"{library.version} and compute capability {device.capability}; make it with "
            f"`fb_ros build-engine --runtime {library.name}`"
        )
    with cache.building(key) as storable:
        engine = cache.load(key)  # Another process may have built it meanwhile.
        if engine is not None:
            return Found(engine, key, True)
        with listening(library.module) as log:
            engine = _build(library, graph, device.capability, log, cache, progress)
        if storable:
            cache.store(key, engine)
    return Found(engine, key, False)


def _build(
    library: EngineLibrary,
    graph: GraphFile,
    capability: str,
    log: Any,
    cache: EngineCache,
    progress: Progress | None,
) -> Engine:
    """Builds the engine; a refusal of the library becomes one line."""
    started = time.perf_counter()
    trt = library.module
    builder = trt.Builder(log)
    network = builder.create_network(library.network_flags)
    parser = trt.OnnxParser(network, log)
    if not parser.parse(graph.path.read_bytes()):
        raise FbRosError(
            f"{library.title} {library.version} does not take {graph.path.name}: "
            + _refusal(parser)
        )
    config = builder.create_builder_config()
    # TF32 keeps ten of a float32's twenty-three bits: too few for the same action.
    config.clear_flag(trt.BuilderFlag.TF32)
    config.profiling_verbosity = trt.ProfilingVerbosity.DETAILED
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    outputs = [network.get_output(i) for i in range(network.num_outputs)]
    profile = builder.create_optimization_profile()
    for tensor in inputs:
        if -1 in tuple(tensor.shape):
            rows = (1, graph.usual_rows, graph.most_rows)
            profile.set_shape(
                tensor.name,
                *(tuple(n if size == -1 else size for size in tensor.shape) for n in rows),
            )
    config.add_optimization_profile(profile)
    library.set_target(config, capability, graph.precision)
    timings = f"timings-{library.name}-{library.version}-{capability}"
    library.use_timing_cache(config, cache.load_extra(timings))
    if progress is not None and hasattr(trt, "IProgressMonitor"):
        config.progress_monitor = _new_monitor(trt, progress)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise FbRosError(
            f"{library.title} {library.version} could not build {graph.path.name} for compute "
            f"capability {capability}: {log.failure or 'it does not say why'}"
        )
    cache.store_extra(timings, library.timing_cache(config))
    return Engine(
        plan=bytes(plan),
        description={
            "inputs": {tensor.name: list(tensor.shape) for tensor in inputs},
            "outputs": {tensor.name: list(tensor.shape) for tensor in outputs},
            "layers": log.layers,
            "seconds": time.perf_counter() - started,
        },
    )


def _refusal(parser: Any) -> str:
    """The first node that a parser refuses, and why."""
    if not parser.num_errors:
        return "it does not say why"
    error = parser.get_error(0)
    # Version 8.6 knows only the node's number.
    node = f"node {error.node()}"
    if hasattr(error, "node_name"):
        node = f"node {error.node_name() or error.node()} ({error.node_operator()})"
    return f"{node}: {' '.join(error.desc().split())}"


def _new_monitor(trt: Any, progress: Progress) -> Any:
    class Monitor(trt.IProgressMonitor):  # type: ignore[misc]
        """Reports the outermost phase, whose steps are the build's."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._outermost, self._steps = "", 1

        def phase_start(self, name: str, parent: str | None, steps: int) -> None:
            if parent is None:
                self._outermost, self._steps = name, max(1, steps)

        def step_complete(self, name: str, step: int) -> bool:
            if name == self._outermost:
                progress(name, (step + 1) / self._steps)
            return True

        def phase_finish(self, name: str) -> None:
            if name == self._outermost:
                progress(name, 1.0)

    return Monitor()
