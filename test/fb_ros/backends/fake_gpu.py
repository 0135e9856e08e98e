"""A GPU in host memory, for tests: CUDA's runtime and TensorRT as far as fb_ros calls them.

Addresses are real ones, copies copy, a capture notes and a launch replays; an engine runs its
graph with ONNX Runtime on what lies at the addresses that its context was given. So a buffer of
the wrong size, a copy that is missing or in the wrong order, or an address that has been given
back gives wrong numbers or an error, as on a device. `FakeGpu` counts calls and injects faults.
"""

from __future__ import annotations

import ctypes
import json
import sys
import types
import weakref
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest

from fb_ros.backends import ENGINE_BACKENDS, backend_class

SUCCESS, FAILED, OUT_OF_MEMORY, INSUFFICIENT_DRIVER = 0, 999, 2, 35
_TEXTS = {
    FAILED: b"unknown error",
    OUT_OF_MEMORY: b"out of memory",
    INSUFFICIENT_DRIVER: b"CUDA driver version is insufficient for CUDA runtime version",
}
_HEADER = b"plan "


class FakeGpu:
    """What the fake modules share."""

    def __init__(self, flavour: str = "tensorrt") -> None:
        self.flavour = flavour
        self.capability = (8, 6)
        self.calls: Counter[str] = Counter()
        self.failing: dict[str, int] = {}
        """Error by the name of the CUDA call that returns it."""
        self.raising: dict[str, Exception] = {}
        """Exception by the name of the CUDA call that raises it."""
        self.compiled: bytes | None = b"kernels"
        """What the kernels that were compiled become on disk."""
        self.timings_fit = True
        self.capturable = True
        self.broken_plans = 0
        """So many engines do not load."""
        self.refused_operator = ""
        """The parser refuses a graph that has it."""
        self.spoil: Callable[[np.ndarray], np.ndarray] = lambda values: values
        """What is done to every output."""
        self.memory: dict[int, Any] = {}
        self.capturing: list[Callable[[], None]] | None = None
        self.enqueue_works = True

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """From now on, until the test ends, this machine has this GPU and this library alone."""
        bindings = types.ModuleType("cuda.bindings")
        bindings.runtime = FakeRuntime(self)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "cuda", types.ModuleType("cuda"))
        monkeypatch.setitem(sys.modules, "cuda.bindings", bindings)
        for name in ENGINE_BACKENDS:
            own = FakeTensorRt(self) if name == self.flavour else None
            monkeypatch.setitem(sys.modules, name, own)
            kept = vars(backend_class(name).library)
            monkeypatch.setitem(kept, "module", own)
            if own is None:
                del kept["module"]

    def do(self, work: Callable[[], None]) -> None:
        """Does the work of a stream, or notes it."""
        if self.capturing is None:
            work()
        else:
            self.capturing.append(work)

    def array(self, address: int, count: int) -> np.ndarray:
        """Float32 at an address that must be allocated, and large enough."""
        assert address in self.memory, "an address that was given back"
        assert ctypes.sizeof(self.memory[address]) >= 4 * count, "a buffer that is too small"
        return np.ctypeslib.as_array((ctypes.c_float * count).from_address(address))


class FakeRuntime:
    """`cuda.bindings.runtime`."""

    cudaStreamNonBlocking = 1
    cudaHostAllocDefault = 0
    cudaError_t = types.SimpleNamespace(cudaSuccess=SUCCESS)
    cudaMemcpyKind = types.SimpleNamespace(cudaMemcpyHostToDevice=1, cudaMemcpyDeviceToHost=2)
    cudaStreamCaptureMode = types.SimpleNamespace(cudaStreamCaptureModeThreadLocal=1)

    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu

    def __getattr__(self, name: str) -> Callable[..., tuple[Any, ...]]:
        function = getattr(self, f"_{name}")

        def call(*arguments: Any) -> tuple[Any, ...]:
            gpu = self._gpu
            gpu.calls[name] += 1
            if name in gpu.raising:
                raise gpu.raising[name]
            error = gpu.failing.get(name, SUCCESS)
            if error != SUCCESS:
                return (error, None)
            value = function(*arguments)
            return (SUCCESS,) if value is None else (SUCCESS, value)

        return call

    def cudaGetErrorString(self, error: int) -> tuple[int, bytes]:
        return SUCCESS, _TEXTS[error]

    def _cudaGetDeviceCount(self) -> int:
        return 1

    def _cudaGetDeviceProperties(self, device: int) -> Any:
        major, minor = self._gpu.capability
        return types.SimpleNamespace(name=b"Fake GPU\0\0", major=major, minor=minor)

    def _cudaStreamCreateWithFlags(self, flags: int) -> int:
        return 77

    def _cudaMalloc(self, size: int) -> int:
        buffer = (ctypes.c_byte * size)(*([0x7F] * size))  # Not zeros: memory is as it was.
        self._gpu.memory[ctypes.addressof(buffer)] = buffer
        return ctypes.addressof(buffer)

    def _cudaHostAlloc(self, size: int, flags: int) -> int:
        return self._cudaMalloc(size)

    def _cudaFree(self, address: int) -> None:
        del self._gpu.memory[address]

    def _cudaFreeHost(self, address: int) -> None:
        del self._gpu.memory[address]

    def _cudaMemcpyAsync(
        self, target: int, source: int, size: int, kind: int, stream: int
    ) -> None:
        def copy() -> None:
            self._gpu.array(target, size // 4)[:] = self._gpu.array(source, size // 4)

        assert stream == 77
        self._gpu.do(copy)

    def _cudaStreamSynchronize(self, stream: int) -> None:
        assert self._gpu.capturing is None, "a wait in a capture"

    def _cudaStreamDestroy(self, stream: int) -> None:
        pass

    def _cudaStreamBeginCapture(self, stream: int, mode: int) -> None:
        self._gpu.capturing = []

    def _cudaStreamEndCapture(self, stream: int) -> list[Callable[[], None]]:
        noted, self._gpu.capturing = self._gpu.capturing, None
        assert noted is not None
        return noted

    def _cudaGraphInstantiate(self, graph: Any, flags: int) -> Any:
        return tuple(graph)

    def _cudaGraphDestroy(self, graph: Any) -> None:
        pass

    def _cudaGraphExecDestroy(self, graph: Any) -> None:
        pass

    def _cudaGraphLaunch(self, graph: Any, stream: int) -> None:
        for work in graph:
            work()


class FakeTensorRt(types.ModuleType):
    """`tensorrt` 10, or `tensorrt_rtx`: builds a plan that is the graph itself."""

    float32 = "float32"
    TensorIOMode = types.SimpleNamespace(INPUT="in", OUTPUT="out")
    BuilderFlag = types.SimpleNamespace(TF32="tf32", FP16="fp16")
    ProfilingVerbosity = types.SimpleNamespace(DETAILED="detailed")
    ComputeCapability = types.SimpleNamespace(
        __members__={"CURRENT": 1, "SM86": 2}, CURRENT=1, SM86=2
    )
    NetworkDefinitionCreationFlag = types.SimpleNamespace(STRONGLY_TYPED=1)
    DynamicShapesKernelSpecializationStrategy = types.SimpleNamespace(LAZY=0, EAGER=1, NONE=2)

    class ILogger:
        """Severities."""

        ERROR, INTERNAL_ERROR, VERBOSE = "error", "internal", "verbose"

        def __init__(self) -> None:
            pass

    class IProgressMonitor:
        """Nothing of its own."""

        def __init__(self) -> None:
            pass

    def __init__(self, gpu: FakeGpu) -> None:
        super().__init__(gpu.flavour)
        self.gpu = gpu
        self.__version__ = "10.3.0"
        self._first_log: weakref.ref[Any] | None = None

    def _listen(self, log: Any) -> None:
        """The first logger is the library's for good."""
        self._first_log = self._first_log or weakref.ref(log)
        assert self._first_log() is not None, "the library's logger is gone"

    def Builder(self, log: Any) -> Any:
        self._listen(log)
        gpu = self.gpu

        class Builder:
            def create_network(self, flags: int) -> Any:
                assert flags == 2
                return _Network()

            def create_builder_config(self) -> Any:
                config = types.SimpleNamespace(flags={"tf32"}, profile=None, timings=b"")
                config.set_compute_capability = lambda target, index: None
                config.clear_flag = config.flags.discard
                config.add_optimization_profile = lambda p: setattr(config, "profile", p)
                # TensorRT makes none of what it cannot read.
                config.create_timing_cache = lambda content: (
                    content if set(content) <= {ord("t")} else None
                )

                def set_timing_cache(cache: bytes, ignore_mismatch: bool) -> bool:
                    fits = gpu.timings_fit or not cache
                    if fits:
                        config.timings = cache
                    return fits

                config.set_timing_cache = set_timing_cache
                config.get_timing_cache = lambda: types.SimpleNamespace(
                    serialize=lambda: config.timings + b"t"
                )
                return config

            def create_optimization_profile(self) -> Any:
                profile = _Profile()
                profile.set_shape = lambda name, *shapes: profile.update({name: shapes})
                return profile

            def build_serialized_network(self, network: _Network, config: Any) -> bytes | None:
                gpu.calls["build"] += 1
                assert config.flags == set()
                config.progress_monitor.phase_start("Building", None, 2)
                config.progress_monitor.step_complete("Building", 0)
                config.progress_monitor.phase_finish("Building")
                if gpu.failing.get("build"):
                    log.log("error", "no memory\nfor tactics")
                    return None
                most = {name: shapes[2] for name, shapes in config.profile.items()}
                return _HEADER + json.dumps(most).encode() + b"\n" + network.content

        return Builder()

    def OnnxParser(self, network: _Network, log: Any) -> Any:
        gpu = self.gpu

        class Parser:
            num_errors = 1

            def parse(self, content: bytes) -> bool:
                if gpu.refused_operator and gpu.refused_operator.encode() in content:
                    return False
                try:
                    network.open(content)
                except Exception:
                    return False
                return True

            def get_error(self, index: int) -> Any:
                return types.SimpleNamespace(
                    node=lambda: 3,
                    node_name=lambda: "node_of_it",
                    node_operator=lambda: gpu.refused_operator,
                    desc=lambda: "no importer\nfor this",
                )

        return Parser()

    def Runtime(self, log: Any) -> Any:
        self._listen(log)

        def deserialize(plan: bytes) -> Any:
            self.gpu.calls["deserialize"] += 1
            if self.gpu.broken_plans:
                self.gpu.broken_plans -= 1
                log.log("error", "of another build")
                return None
            if not plan.startswith(_HEADER):
                log.log("error", "magic tag does not match")
                return None
            return _Engine(self.gpu, plan)

        return types.SimpleNamespace(deserialize_cuda_engine=deserialize)


class _Profile(dict[str, Any]):
    set_shape: Any


class _Network:
    """A parsed graph."""

    content = b""

    def open(self, content: bytes) -> None:
        self.content = content
        self.session = onnxruntime.InferenceSession(content)

    num_inputs = property(lambda self: len(self.session.get_inputs()))
    num_outputs = property(lambda self: len(self.session.get_outputs()))

    def get_input(self, index: int) -> Any:
        return _tensor(self.session.get_inputs()[index])

    def get_output(self, index: int) -> Any:
        return _tensor(self.session.get_outputs()[index])


def _tensor(entry: Any) -> Any:
    shape = tuple(size if isinstance(size, int) else -1 for size in entry.shape)
    return types.SimpleNamespace(name=entry.name, shape=shape)


class _Engine:
    """A deserialised plan."""

    def __init__(self, gpu: FakeGpu, plan: bytes) -> None:
        most, _, content = plan.removeprefix(_HEADER).partition(b"\n")
        self.gpu = gpu
        self.most = {name: tuple(shape) for name, shape in json.loads(most).items()}
        self.network = _Network()
        self.network.open(content)
        session = self.network.session
        self.inputs = [_tensor(entry) for entry in session.get_inputs()]
        self.outputs = [_tensor(entry) for entry in session.get_outputs()]
        self.num_io_tensors = len(self.inputs) + len(self.outputs)

    def get_tensor_name(self, index: int) -> str:
        # An engine's order is its own.
        return str((*self.outputs[::-1], *self.inputs[::-1])[index].name)

    def get_tensor_mode(self, name: str) -> str:
        return "in" if name in {tensor.name for tensor in self.inputs} else "out"

    def get_tensor_dtype(self, name: str) -> str:
        return "float32"

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        (found,) = [t.shape for t in (*self.inputs, *self.outputs) if t.name == name]
        return tuple(found)

    def get_tensor_profile_shape(self, name: str, profile: int) -> tuple[tuple[int, ...], ...]:
        return ((), (), self.most[name])

    def create_execution_context(self, config: Any = None) -> _Context:
        return _Context(self, config)

    def create_runtime_config(self) -> Any:
        """TensorRT for RTX has one, with the kernels that it compiled."""
        return _RuntimeConfig(self.gpu)


class _RuntimeConfig:
    """Whose cache has to be kept alive by whoever made it, and gives itself to nobody else."""

    kernels: Any = None
    dynamic_shapes_kernel_specialization_strategy = 0

    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu

    def create_runtime_cache(self) -> _Kernels:
        return _Kernels(self._gpu)

    def set_runtime_cache(self, kernels: _Kernels) -> bool:
        self.kernels = weakref.ref(kernels)
        return True


class _Kernels:
    def __init__(self, gpu: FakeGpu) -> None:
        self._gpu = gpu

    def deserialize(self, content: bytes) -> bool:
        assert content == self._gpu.compiled
        return True

    def serialize(self) -> bytes | None:
        return self._gpu.compiled


class _Context:
    """Runs an engine on what lies at its addresses."""

    def __init__(self, engine: _Engine, config: Any) -> None:
        assert (config is not None) == (engine.gpu.flavour == "tensorrt_rtx")
        self._engine, self._addresses = engine, dict[str, int]()
        self._config = None
        if config is not None:
            # Compiling for each length as it comes would go on beside the robot's work.
            assert config.dynamic_shapes_kernel_specialization_strategy == 2
            self._config, self._kernels = weakref.ref(config), config.kernels
        self._shapes = {
            tensor.name: tensor.shape for tensor in engine.inputs if -1 not in tensor.shape
        }

    def set_tensor_address(self, name: str, address: int) -> bool:
        self._addresses[name] = address
        return True

    def is_stream_capturable(self, stream: int) -> bool:
        return self._engine.gpu.capturable

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        most = self._engine.most.get(name, shape)
        if not all(1 <= size <= bound for size, bound in zip(shape, most, strict=True)):
            return False
        self._shapes[name] = tuple(shape)
        return True

    def get_tensor_shape(self, name: str) -> tuple[int, ...]:
        if name in self._shapes:
            return self._shapes[name]
        rows = {shape[0] for key, shape in self._shapes.items() if key != "asked"}
        (found,) = [tensor.shape for tensor in self._engine.outputs if tensor.name == name]
        return tuple(max(rows) if size == -1 else size for size in found)

    def execute_async_v3(self, stream: int) -> bool:
        gpu = self._engine.gpu
        gpu.calls["enqueue"] += 1
        if self._config is not None:
            assert self._config() is not None, "the context's configuration is gone"
            assert self._kernels() is not None, "the context's kernels are gone"
        if not gpu.enqueue_works:
            return False

        def work() -> None:
            feed = {
                tensor.name: gpu.array(
                    self._addresses[tensor.name], int(np.prod(self._shapes[tensor.name]))
                )
                .reshape(self._shapes[tensor.name])
                .copy()
                for tensor in self._engine.inputs
            }
            outputs = self._engine.network.session.run(None, feed)
            for tensor, values in zip(self._engine.outputs, outputs, strict=True):
                assert values.shape == self.get_tensor_shape(tensor.name)
                room = gpu.array(self._addresses[tensor.name], values.size)
                room[:] = gpu.spoil(values).ravel()

        gpu.do(work)
        return True
