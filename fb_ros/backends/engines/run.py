"""Runs a TensorRT engine: buffers are allocated once, and a call waits once.

An engine of fixed shapes is captured as a CUDA graph, copies included, so a call is one launch.
"""

from __future__ import annotations

import contextlib
import math
import weakref
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from fb_ros.backends.backend import InputRefused, require_shapes
from fb_ros.backends.engines.cuda import Cuda
from fb_ros.backends.graphs import Shapes
from fb_ros.errors import FbRosError


class _Buffer(NamedTuple):
    """Memory for an input or output at its largest, on both sides."""

    shape: tuple[int, ...]
    """-1 where any length is allowed."""
    array: np.ndarray
    """The host's side, `(count,)`, float32."""
    host: int
    device: int


class EngineRun:
    """One engine on the first GPU, for one thread at a time."""

    def __init__(
        self, trt: Any, cuda: Cuda, engine: Any, context: Any, outputs: tuple[str, ...]
    ) -> None:
        """`engine` and its execution `context` are of the TensorRT module `trt`.

        `outputs` are those of the graph, in its order; the engine's order may differ.
        """
        self._trt, self._cuda, self._engine, self._context = trt, cuda, engine, context
        self._held: list[tuple[str, Any]] = []
        # The finalizer also runs if the rest fails for lack of memory.
        weakref.finalize(self, _release, cuda, self._held)
        self._stream = self._hold("stream", cuda.new_stream())
        names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
        inputs = [name for name in names if self._is_input(name)]
        self._inputs = {name: self._buffer(name, self._most(name)) for name in inputs}
        self.input_shapes: Shapes = {
            name: tuple(None if size < 0 else size for size in buffer.shape)
            for name, buffer in self._inputs.items()
        }
        """None where any length is allowed."""
        self._fixed = all(None not in shape for shape in self.input_shapes.values())
        if not self._fixed:
            for name in inputs:
                self._set_shape(name, self._most(name))
        found = [name for name in names if name not in inputs]
        if set(found) != set(outputs):
            raise FbRosError(
                f"the engine gives {', '.join(found)}, its graph {', '.join(outputs)}"
            )
        self._outputs = {name: self._buffer(name, self._present(name)) for name in outputs}
        self.output_names = outputs
        # The first run allocates and compiles, which a capture must not do.
        self._enqueue()
        cuda.synchronize(self._stream)
        self._graph = self._capture() if self._fixed else None

    @property
    def captured(self) -> bool:
        """Whether a call is the launch of a CUDA graph."""
        return self._graph is not None

    def run(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Evaluates the engine; the outputs are the caller's own."""
        require_shapes(inputs, self.input_shapes)
        for name, buffer in self._inputs.items():
            value = np.asarray(inputs[name], dtype=np.float32)
            if not value.size:
                raise InputRefused(f"{name} has no rows, an engine takes 1 at least")
            if value.size > len(buffer.array):
                raise InputRefused(
                    f"{name} has shape {value.shape}, this engine was built for at most "
                    f"{self._most(name)}"
                )
            buffer.array[: value.size] = value.reshape(-1)
            if not self._fixed:
                self._set_shape(name, value.shape)
        if self._graph is not None:
            self._cuda.launch(self._graph, self._stream)
        else:
            self._enqueue()
        self._cuda.synchronize(self._stream)
        outputs = []
        for name, buffer in self._outputs.items():
            shape = buffer.shape if self._fixed else self._present(name)
            outputs.append(buffer.array[: math.prod(shape)].reshape(shape).copy())
        return outputs

    def _enqueue(self) -> None:
        """Puts the copies and the engine on the stream, for the shapes that are set."""
        cuda, stream = self._cuda, self._stream
        for name, buffer in self._inputs.items():
            cuda.copy_to_device(buffer.device, buffer.host, self._count(name), stream)
        if not self._context.execute_async_v3(int(stream)):
            raise FbRosError("TensorRT could not run the engine")
        for name, buffer in self._outputs.items():
            cuda.copy_to_host(buffer.host, buffer.device, self._count(name), stream)

    def _capture(self) -> Any:
        """The copies and the engine as one graph; None where the engine cannot be captured."""
        capturable = getattr(self._context, "is_stream_capturable", None)
        if capturable is not None and not capturable(int(self._stream)):
            return None
        with contextlib.suppress(FbRosError):
            self._cuda.begin_capture(self._stream)
            try:
                self._enqueue()
            finally:
                # The capture ends even after a failure: the stream has to leave it.
                graph = self._hold("graph", self._cuda.end_capture(self._stream))
            return graph
        return None

    def _buffer(self, name: str, most: tuple[int, ...]) -> _Buffer:
        if self._engine.get_tensor_dtype(name) != self._trt.float32:
            raise FbRosError(f"{name} of the engine is not float32; export the model again")
        count = max(1, math.prod(most))
        device = self._hold("device", self._cuda.new_device_memory(count))
        host, array = self._cuda.new_host_memory(count)
        self._hold("host", host)
        array[:] = 0.0
        if not self._context.set_tensor_address(name, device):
            raise FbRosError(f"TensorRT refused the memory for {name}")
        return _Buffer(tuple(self._engine.get_tensor_shape(name)), array, host, device)

    def _hold(self, kind: str, handle: Any) -> Any:
        self._held.append((kind, handle))
        return handle

    def _is_input(self, name: str) -> bool:
        return bool(self._engine.get_tensor_mode(name) == self._trt.TensorIOMode.INPUT)

    def _most(self, name: str) -> tuple[int, ...]:
        """The largest shape of an input."""
        shape = tuple(self._engine.get_tensor_shape(name))
        return tuple(self._engine.get_tensor_profile_shape(name, 0)[2]) if -1 in shape else shape

    def _present(self, name: str) -> tuple[int, ...]:
        """The shape of an input or output for the inputs that are set."""
        return tuple(self._context.get_tensor_shape(name))

    def _count(self, name: str) -> int:
        return math.prod(self._present(name))

    def _set_shape(self, name: str, shape: tuple[int, ...]) -> None:
        if not self._context.set_input_shape(name, shape):
            raise FbRosError(f"TensorRT refused {name} with shape {tuple(shape)}")


def _release(cuda: Cuda, held: list[tuple[str, Any]]) -> None:
    while held:
        cuda.release(*held.pop())
