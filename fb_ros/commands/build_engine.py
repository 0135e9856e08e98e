"""`fb_ros build-engine`: TensorRT engines of a bundle, also where there is no GPU."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Literal

from fb_ros.backends import backend_class
from fb_ros.backends.backend import GraphFile
from fb_ros.backends.engines.build import Progress, find_or_build
from fb_ros.backends.engines.cache import EngineCache
from fb_ros.backends.engines.cuda import Cuda, Device
from fb_ros.backends.engines.library import EngineLibrary
from fb_ros.backends.engines.load import load_engine
from fb_ros.backends.graphs import GRAPHS, Precision
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.paths import open_bundle


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuildEngineConfig(CommandConfig):
    """Build a bundle's TensorRT engines; those already in the cache are kept.

    The cache is `FB_ROS_CACHE_DIR`, or `~/.cache/fb_ros`: copy it to the robot with the bundle.
    """

    bundle: Path
    """Folder of a bundle, or the name of a model that ships."""
    runtime: Literal["tensorrt", "tensorrt_rtx"] = "tensorrt_rtx"
    """The library that will run them, in the version installed here."""
    compute_capability: tuple[str, ...] = ()
    """GPUs to build for, such as 8.6 8.9; none: this machine's GPU."""
    precision: Precision = "fp32"
    """`fp16` computes the hidden layers in half the memory; inputs and outputs stay float32."""


def build_engines(config: BuildEngineConfig) -> Result:
    """The engines built or found, an entry for each graph and compute capability."""
    bundle = open_bundle(config.bundle)
    library: EngineLibrary = backend_class(config.runtime).library
    devices = _devices(library, config.compute_capability)
    cache = EngineCache()
    cache.require_writable()
    rows = []
    for device in devices:
        for graph in GRAPHS:
            file = bundle.graph_file(graph, precision=config.precision)
            rows.append(_build(library, file, device, cache))
    return {
        "bundle": str(bundle.path),
        "model_id": bundle.model_id,
        "runtime": config.runtime,
        "version": library.version,
        "cache": str(cache.folder),
        "engines": rows,
    }


def _devices(library: EngineLibrary, named: tuple[str, ...]) -> list[Device]:
    """The GPUs that were asked for; all are checked before the first engine is built."""
    known = library.ahead_capabilities
    here: dict[str, Device] = {}
    try:
        device = Cuda().device()
        here[device.capability] = device
    except FbRosError as error:
        if not named:
            remedy = f"; name others with --compute-capability {' '.join(known)}" if known else ""
            raise FbRosError(f"there is nothing to build for: {error}{remedy}") from error
    for capability in named:
        if capability not in (*known, *here):
            raise FbRosError(
                f"{library.title} {library.version} builds ahead of time for "
                + (", ".join(known) or "no GPU")
                + f"; for compute capability {capability} run this on a machine that has it, with "
                "the library that is there (on a Jetson --runtime tensorrt)"
            )
    return [here.get(capability, Device("", capability)) for capability in named or here]


def _build(
    library: EngineLibrary, file: GraphFile, device: Device, cache: EngineCache
) -> dict[str, object]:
    title = f"{file.path.name} for {device.capability}"
    progress = _shown(title)
    if device.name:
        # An engine that does not load is built again, here.
        found = load_engine(library, file, device, cache=cache, progress=progress).found
    else:
        found = find_or_build(library, file, device, cache=cache, progress=progress)
    described = found.engine.description
    return {
        "graph": file.path.name,
        "compute_capability": device.capability,
        "precision": file.precision,
        "path": str(cache.path(found.key)),
        "cached": found.cached,
        "megabytes": len(found.engine.plan) / 1e6,
        **described,
    }


def _shown(title: str) -> Progress:
    """Shows progress: a line that fills on a terminal, or one line an engine in a log file."""
    rewrites = sys.stderr.isatty()

    def show(phase: str, share: float) -> None:
        if rewrites or share >= 1.0:
            end = "\n" if share >= 1.0 else ""
            start = "\r" if rewrites else ""
            print(f"{start}{title:<44}{100 * share:4.0f} %", end=end, file=sys.stderr, flush=True)

    return show


def _show(result: Result) -> str:
    lines = [f"{result['runtime']} {result['version']}, kept in {result['cache']}"]
    for row in result["engines"]:
        how = "was there" if row["cached"] else f"{row['seconds']:.1f} s"
        lines.append(
            f"{row['graph']:<24} {row['compute_capability']:>5}  {row['precision']}  "
            f"{row['megabytes']:6.1f} MB  {len(row['layers']):4d} layers  {how}"
        )
    return "\n".join(lines)


COMMAND = Command(config=BuildEngineConfig, run=build_engines, show=_show)
