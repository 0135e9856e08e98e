"""TensorRT for RTX: builds for named GPUs without having one, and finishes at start on the GPU."""

from __future__ import annotations

from typing import Any

from fb_ros.backends.engines.backend import EngineBackend
from fb_ros.backends.engines.cache import EngineCache
from fb_ros.backends.engines.library import EngineLibrary, Prepared
from fb_ros.backends.graphs import Precision
from fb_ros.errors import FbRosError


class TensorRtRtx(EngineLibrary):
    """TensorRT for RTX, versions from 1.4 on."""

    name = "tensorrt_rtx"
    title = "TensorRT for RTX"
    portable = True
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
        target = getattr(self.module.ComputeCapability, "SM" + capability.replace(".", ""))
        config.num_compute_capabilities = 1
        config.set_compute_capability(target, 0)

    def require_capability(self, capability: str) -> None:
        known = self.ahead_capabilities
        if capability not in known:
            raise FbRosError(
                f"{self.title} {self.version} knows GPUs of compute capability "
                f"{', '.join(known)}, this one's is {capability}"
            )

    def prepare(self, engine: Any, cache: EngineCache, name: str) -> Prepared:
        # Kernels are compiled when they are first used, and kept for the next start.
        config = engine.create_runtime_config()
        # The kernels fit any number of rows. Specialising them for each number as it comes would
        # go on beside the robot's work, and the results would depend on whether it is done.
        strategies = self.module.DynamicShapesKernelSpecializationStrategy
        config.dynamic_shapes_kernel_specialization_strategy = strategies.NONE
        kernels = config.create_runtime_cache()
        before = cache.load_extra(f"{name}.kernels")
        if before:
            kernels.deserialize(before)
        config.set_runtime_cache(kernels)

        def keep() -> None:
            # The handle that stays serialises: another one would take the kernels with it when it
            # ends.
            compiled = kernels.serialize()
            if compiled is not None:
                cache.store_extra(f"{name}.kernels", bytes(compiled))

        return Prepared(engine.create_execution_context(config), (config, kernels), keep)


class TensorRtRtxBackend(EngineBackend):
    """A graph on a GPU, run by TensorRT for RTX."""

    library = TensorRtRtx()
