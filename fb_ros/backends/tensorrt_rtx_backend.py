"""TensorRT for RTX: builds without a GPU, for named ones, and finishes on the GPU at start."""

from __future__ import annotations

from typing import Any

from fb_ros.backends.engine_backend import EngineBackend
from fb_ros.backends.engine_cache import EngineCache
from fb_ros.backends.engine_library import EngineLibrary
from fb_ros.graphs import Precision


class TensorRtRtx(EngineLibrary):
    """Versions from 1.4 on."""

    name = "tensorrt_rtx"
    title = "TensorRT for RTX"
    remedy = "install it with `pip install 'fb_ros[tensorrt]'` (x86-64)"

    @property
    def ahead_capabilities(self) -> tuple[str, ...]:
        known = []
        for name in self.module.ComputeCapability.__members__:
            digits = name.removeprefix("SM")
            if digits.isdigit():
                known.append((int(digits[:-1]), int(digits[-1])))
        return tuple(f"{major}.{minor}" for major, minor in sorted(known))

    def set_target(self, config: Any, capability: str, precision: Precision) -> None:
        targets = self.module.ComputeCapability
        # One that the library does not know by name can only be the GPU at hand: it says itself
        # what it makes of it.
        target = getattr(targets, "SM" + capability.replace(".", ""), targets.CURRENT)
        config.num_compute_capabilities = 1
        config.set_compute_capability(target, 0)

    def new_context(self, engine: Any, cache: EngineCache, name: str) -> Any:
        # Kernels are compiled when they are first used, and kept for the next start.
        config = engine.create_runtime_config()
        kernels = config.create_runtime_cache()
        before = cache.load_extra(f"{name}.kernels")
        if before:
            kernels.deserialize(before)
        config.set_runtime_cache(kernels)
        return engine.create_execution_context(config)

    def keep(self, context: Any, cache: EngineCache, name: str) -> None:
        kernels = context.get_runtime_config().get_runtime_cache()
        if kernels is not None:
            cache.store_extra(f"{name}.kernels", bytes(kernels.serialize()))


class TensorRtRtxBackend(EngineBackend):
    """A graph on a GPU, by TensorRT for RTX."""

    library = TensorRtRtx()
