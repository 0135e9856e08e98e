"""ONNX Runtime on the CPU: the backend that every machine has."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnxruntime

from fb_ros.backends.backend import GraphFile, require_shapes
from fb_ros.backends.graphs import Shapes
from fb_ros.errors import FbRosError


class OnnxRuntimeBackend:
    """A graph on the CPU."""

    name = "onnxruntime"

    def __init__(self, graph: GraphFile) -> None:
        """Uses one thread by default: at a policy's size a second one costs more than it gains."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = graph.threads
        # Threads that spin while they wait would take the cores from the robot's other processes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # Errors are raised, in one line.
        try:
            self._session = onnxruntime.InferenceSession(
                str(graph.path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's exceptions share no public base class.
            raise FbRosError(
                f"{graph.path} cannot be loaded by ONNX Runtime: {_first_line(error)}"
            ) from error
        self._shapes: Shapes = {
            entry.name: tuple(size if isinstance(size, int) else None for size in entry.shape)
            for entry in self._session.get_inputs()
        }
        self._outputs = tuple(entry.name for entry in self._session.get_outputs())

    @property
    def runtime(self) -> str:
        return f"ONNX Runtime {onnxruntime.__version__} on the CPU"

    @property
    def input_shapes(self) -> Shapes:
        return self._shapes

    @property
    def output_names(self) -> tuple[str, ...]:
        return self._outputs

    def run(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        feed = {name: np.asarray(value, dtype=np.float32) for name, value in inputs.items()}
        try:
            outputs: list[np.ndarray] = self._session.run(None, feed)
        except Exception as error:
            require_shapes(inputs, self._shapes)  # This check words the refusal as ours.
            raise FbRosError(f"ONNX Runtime failed: {_first_line(error)}") from error
        return outputs


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
