"""ONNX Runtime on the CPU: the backend that every machine has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnxruntime

from fb_ros.errors import FbRosError


class OnnxRuntimeBackend:
    """A graph on the CPU."""

    def __init__(self, graph: Path, threads: int = 1) -> None:
        """One thread by default: at a policy's size a second one costs more than it brings."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Threads that spin while they wait would take the cores from the robot's other processes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                str(graph), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's exceptions share no public base class.
            first_line = str(error).splitlines()[0]
            raise FbRosError(f"{graph} cannot be loaded by ONNX Runtime: {first_line}") from error

    @property
    def input_shapes(self) -> dict[str, tuple[int | None, ...]]:
        return {
            entry.name: tuple(size if isinstance(size, int) else None for size in entry.shape)
            for entry in self._session.get_inputs()
        }

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(entry.name for entry in self._session.get_outputs())

    def run(self, inputs: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        feed = {name: np.asarray(value, dtype=np.float32) for name, value in inputs.items()}
        outputs: list[np.ndarray] = self._session.run(None, feed)
        return outputs
