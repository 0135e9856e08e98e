"""Runs a graph on a GPU: the part that the backends of both TensorRT flavours share."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from fb_ros.backends.backend import GraphFile, one_line
from fb_ros.backends.engines.build import Progress
from fb_ros.backends.engines.cache import EngineCache
from fb_ros.backends.engines.cuda import Cuda
from fb_ros.backends.engines.library import EngineLibrary
from fb_ros.backends.engines.load import load_engine
from fb_ros.backends.engines.log import listening
from fb_ros.backends.engines.run import EngineRun
from fb_ros.backends.graphs import Shapes
from fb_ros.errors import FbRosError

_LOG = logging.getLogger(__name__)


class EngineBackend:
    """Loads the engine of a graph for the GPU at hand, or builds it."""

    library: ClassVar[EngineLibrary]

    def __init__(self, graph: GraphFile, *, build: bool = True) -> None:
        """Without `build`, a graph whose engine is not in the cache is refused."""
        library, cache = self.library, EngineCache()
        library.require_installed()
        cuda = Cuda()
        device = cuda.device()
        found, engine, runtime = load_engine(
            library, graph, device, cache=cache, build=build, progress=_logged(graph.path.name)
        )
        trt = library.module
        with listening(trt) as log:
            prepared = library.prepare(engine, cache, found.key.digest)
            if prepared.context is None:
                raise FbRosError(
                    f"{library.title} cannot run the engine of {graph.path.name}: "
                    + (log.failure or "it does not say why")
                )
        outputs = tuple(found.engine.description["outputs"])
        # Attributes are destroyed in insertion order; the run must go before its engine.
        self._run = EngineRun(trt, cuda, engine, prepared.context, outputs)
        self._needed = prepared, engine, runtime
        try:
            prepared.keep()
        except Exception as error:  # The next start compiles again.
            _LOG.warning("%s: compiled kernels are not kept: %s", graph.path.name, one_line(error))
        self.runtime = (
            f"{library.title} {library.version} on {device.name} (compute capability "
            f"{device.capability}), {graph.precision}"
            + (", as a CUDA graph" if self._run.captured else "")
        )

    @classmethod
    def require_present(cls) -> None:
        """Refuses a machine without the library or a GPU, before it loads the library."""
        cls.library.require_installed()
        device = Cuda().device()
        cls.library.module  # noqa: B018 - refuses.
        cls.library.require_capability(device.capability)

    @property
    def name(self) -> str:
        return self.library.name

    @property
    def input_shapes(self) -> Shapes:
        return self._run.input_shapes

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._run.output_names

    def run(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        return self._run.run(inputs)


def _logged(name: str) -> Progress:
    """Logs now and then how far a build is, since a person waits for it at a robot's start."""
    said = -1.0

    def progress(phase: str, share: float) -> None:
        nonlocal said
        if share >= said + 0.25:
            said = share
            _LOG.warning("building the engine of %s, once: %.0f %%", name, 100.0 * share)

    return progress
