"""TensorRT, JetPack's or NVIDIA's: builds for the GPU at hand."""

from __future__ import annotations

from typing import Any

from fb_ros.backends.engines.backend import EngineBackend
from fb_ros.backends.engines.cache import EngineCache
from fb_ros.backends.engines.library import EngineLibrary, Prepared
from fb_ros.backends.graphs import Precision


class TensorRt(EngineLibrary):
    """TensorRT, versions 8.6 to 11."""

    name = "tensorrt"
    title = "TensorRT"
    portable = False
    remedy = "on a Jetson it comes with JetPack, elsewhere from NVIDIA's package index"

    @property
    def ahead_capabilities(self) -> tuple[str, ...]:
        self.module  # noqa: B018 - refuses a machine without it.
        return ()

    def set_target(self, config: Any, capability: str, precision: Precision) -> None:
        trt = self.module
        # Without strong types the builder is asked to keep the graph's types.
        if precision == "fp16" and not hasattr(
            trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED"
        ):
            config.set_flag(trt.BuilderFlag.FP16)
            config.set_flag(trt.BuilderFlag.OBEY_PRECISION_CONSTRAINTS)

    def prepare(self, engine: Any, cache: EngineCache, name: str) -> Prepared:
        return Prepared(engine.create_execution_context())

    def use_timing_cache(self, config: Any, content: bytes) -> None:
        # Timings of another GPU are refused, and cost only their time.
        for tried in (content, b""):
            timings = config.create_timing_cache(tried)
            if timings is not None and config.set_timing_cache(timings, ignore_mismatch=False):
                return

    def timing_cache(self, config: Any) -> bytes:
        timings = config.get_timing_cache()
        return b"" if timings is None else bytes(timings.serialize())


class TensorRtBackend(EngineBackend):
    """A graph on a GPU, run by TensorRT."""

    library = TensorRt()
