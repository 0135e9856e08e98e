"""The few calls of the CUDA runtime that running an engine needs; only this file imports it.

It uses NVIDIA's own bindings: they contain the runtime library, exist for x86-64 and for Jetson,
and need only the driver on the machine.
"""

from __future__ import annotations

import ctypes
from typing import Any, NamedTuple

import numpy as np

from fb_ros.errors import FbRosError


class Device(NamedTuple):
    """A GPU."""

    name: str
    capability: str
    """Compute capability, such as 8.7."""


class Cuda:
    """Device memory, one stream and captured graphs; a call that fails is an `FbRosError`."""

    def __init__(self) -> None:
        """Refuses a machine without the bindings."""
        try:
            from cuda.bindings import runtime
        except ImportError as error:
            raise FbRosError(
                "the Python package cuda-bindings is missing; install it with "
                "`pip install 'fb_ros[tensorrt]'`"
            ) from error
        self._runtime: Any = runtime

    def device(self) -> Device:
        """The first GPU; refuses a machine that has none, or no driver for it."""
        try:
            count = self._call("cudaGetDeviceCount")
        except FbRosError as error:
            raise FbRosError(f"there is no usable GPU here ({error})") from error
        if not count:
            raise FbRosError("there is no GPU here")
        properties = self._call("cudaGetDeviceProperties", 0)
        return Device(
            _text(properties.name).rstrip("\0"), f"{properties.major}.{properties.minor}"
        )

    def new_stream(self) -> Any:
        """A stream that waits for no other stream."""
        return self._call("cudaStreamCreateWithFlags", self._runtime.cudaStreamNonBlocking)

    def new_device_memory(self, count: int) -> int:
        """Address of device memory for `count` float32."""
        return int(self._call("cudaMalloc", 4 * count))

    def new_host_memory(self, count: int) -> tuple[int, np.ndarray]:
        """Address of page-locked memory for `count` float32, and the same as an array."""
        address = int(self._call("cudaHostAlloc", 4 * count, self._runtime.cudaHostAllocDefault))
        array = np.ctypeslib.as_array((ctypes.c_float * count).from_address(address))
        return address, array

    def copy_to_device(self, device: int, host: int, count: int, stream: Any) -> None:
        """Copies `count` float32 when the stream reaches this call."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._call("cudaMemcpyAsync", device, host, 4 * count, kind, stream)

    def copy_to_host(self, host: int, device: int, count: int, stream: Any) -> None:
        """Copies `count` float32 back when the stream reaches this call."""
        kind = self._runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._call("cudaMemcpyAsync", host, device, 4 * count, kind, stream)

    def synchronize(self, stream: Any) -> None:
        """Waits for all work that was put on the stream."""
        self._call("cudaStreamSynchronize", stream)

    def begin_capture(self, stream: Any) -> None:
        """Records the stream's work from now on, instead of running it."""
        mode = self._runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._call("cudaStreamBeginCapture", stream, mode)

    def end_capture(self, stream: Any) -> Any:
        """The captured work, ready to be launched as one."""
        graph = self._call("cudaStreamEndCapture", stream)
        try:
            return self._call("cudaGraphInstantiate", graph, 0)
        finally:
            self._call("cudaGraphDestroy", graph)

    def launch(self, graph: Any, stream: Any) -> None:
        """Puts a captured graph on the stream."""
        self._call("cudaGraphLaunch", graph, stream)

    def release(self, kind: str, handle: Any) -> None:
        """Frees a `stream`, `graph`, `device` or `host` memory; a lost device has none to free."""
        function = {
            "stream": "cudaStreamDestroy",
            "graph": "cudaGraphExecDestroy",
            "device": "cudaFree",
            "host": "cudaFreeHost",
        }[kind]
        getattr(self._runtime, function)(handle)

    def _call(self, name: str, *arguments: Any) -> Any:
        try:
            error, *values = getattr(self._runtime, name)(*arguments)
        except RuntimeError as missing:  # Some bindings look for the driver at the first call.
            raise FbRosError(f"{name}: {' '.join(str(missing).split())}") from missing
        if error != self._runtime.cudaError_t.cudaSuccess:
            text = _text(self._runtime.cudaGetErrorString(error)[1])
            raise FbRosError(f"{name}: {text}")
        return values[0] if values else None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
