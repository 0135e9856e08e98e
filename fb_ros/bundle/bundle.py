"""The model bundle: a folder of graphs, states and a description, verified on loading."""

from __future__ import annotations

import dataclasses
import json
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from fb_ros.backends import make_backend
from fb_ros.backends.backend import Backend, GraphFile
from fb_ros.backends.graphs import (
    IMAGINE,
    TASK_ENCODER,
    VALUE,
    Precision,
    Shapes,
    graph_file,
    input_shapes,
)
from fb_ros.bundle.golden import Golden, read_golden, require_golden
from fb_ros.bundle.hashes import GOLDEN, REFERENCE_STATES, REMEDY, verify_hashes
from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field, layout_size
from fb_ros.robot.robot_spec import RobotSpec

FORMAT_VERSION = 2
DESCRIPTION = "bundle.json"

# Rows that an engine is built for: states of a reward, and usual and most values at a time.
_MOST_STATES, _VALUES = 10_000, (32, 1024)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bundle:
    """A verified bundle. Graphs and reference states are loaded when they are first asked for."""

    path: Path
    """The folder."""
    model_id: str
    """SHA-256 over the other files, 64 hexadecimal digits."""
    robot: RobotSpec
    """The robot that the model drives."""
    algorithm: str
    """`fb`, `fb_ar`, `fb_aw` or `fb_aware`."""
    gamma: float
    """Discount of the model's values."""
    blocks: tuple[int, ...]
    """Lengths of the auto-regressive blocks of `z`."""
    encoder_features: tuple[str, ...]
    """Features that `B` reads; a reward may speak of these."""
    block_features: tuple[tuple[str, ...], ...]
    """Those that each block reads. Where a task speaks of none of them, it leaves them open."""
    provenance: dict[str, Any]
    """Data, configuration, seed, duration, commit and learning curve."""
    evaluation: dict[str, Any]
    """What `fb_ros evaluate` measured of this model before it was exported."""

    @property
    def z_dim(self) -> int:
        """Length of `z`."""
        return sum(self.blocks)

    @property
    def encoder_fields(self) -> tuple[Field, ...]:
        """The features that `B` reads, in order."""
        return tuple(self.robot.feature(name) for name in self.encoder_features)

    @cached_property
    def reference_features(self) -> np.ndarray:
        """Features of a sample of the data's states, `(n, robot.feature_dim)`, float32."""
        return self._reference["features"]

    @cached_property
    def reference_observations(self) -> np.ndarray:
        """Observations of the same states, `(n, robot.obs_dim)`, float32."""
        return self._reference["observation"]

    @cached_property
    def _reference(self) -> dict[str, np.ndarray]:
        path = self.path / REFERENCE_STATES
        try:
            arrays = load_file(path)
        except (OSError, SafetensorError) as error:
            raise FbRosError(f"{path} is not readable ({error}); {REMEDY}") from error
        for name, width in (
            ("features", self.robot.feature_dim),
            ("observation", self.robot.obs_dim),
        ):
            found = arrays[name].shape if name in arrays else "nothing"
            if name not in arrays or arrays[name].ndim != 2 or arrays[name].shape[1] != width:
                raise FbRosError(
                    f"{path}: {name} has {found}, expected shape (n, {width}); {REMEDY}"
                )
            if not len(arrays[name]) or not np.all(np.isfinite(arrays[name])):
                raise FbRosError(
                    f"{path}: {name} is empty or not finite, expected states; {REMEDY}"
                )
        return arrays

    @cached_property
    def golden(self) -> Golden:
        """The trainer's own answers, by graph."""
        return read_golden(self.path / GOLDEN)

    @property
    def imagines(self) -> bool:
        """Whether the model has learned dynamics, in which its policy can be run."""
        return (self.path / IMAGINE).is_file()

    def load_graph(
        self,
        graph: str,
        backend: str = "auto",
        threads: int = 1,
        precision: Precision = "fp32",
    ) -> Backend:
        """One of the bundle's graphs on the backend of that name.

        Its shapes are verified, and that it repeats its golden vectors, which warms it up, too.
        """
        expected = self.input_shapes(graph)
        file = self.graph_file(graph, threads, precision)

        def verify(loaded: Backend) -> None:
            if loaded.input_shapes != expected:
                raise FbRosError(
                    f"{file.path} takes {loaded.input_shapes}, the description says {expected}; "
                    + REMEDY
                )
            require_golden(loaded, self.golden[graph], file.precision)

        return make_backend(backend, file, verify)

    def graph_file(self, graph: str, threads: int = 1, precision: Precision = "fp32") -> GraphFile:
        """The file of one of the graphs, and what a runtime has to know of its use."""
        name = graph_file(graph, precision)
        states = len(self.reference_features) if graph == TASK_ENCODER else 0
        rows = {TASK_ENCODER: (states, max(states, _MOST_STATES)), VALUE: _VALUES}
        usual, most = rows.get(graph, (1, 1))
        return GraphFile(
            path=self.path / name,
            precision=precision if name != graph else "fp32",
            threads=threads,
            usual_rows=usual,
            most_rows=most,
        )

    def input_shapes(self, graph: str) -> Shapes:
        """What one of the graphs takes; None where any length will do."""
        return input_shapes(
            graph,
            obs_dim=self.robot.obs_dim,
            act_dim=self.robot.act_dim,
            read=layout_size(self.encoder_fields),
            blocks=self.blocks,
        )


def load_bundle(path: Path) -> Bundle:
    """Reads and verifies the bundle in the folder `path`; refuses with one line."""
    data = _read_description(path)
    version = data.get("format_version")
    if version != FORMAT_VERSION:
        raise FbRosError(
            f"{path} has format version {version!r}, this fb_ros reads {FORMAT_VERSION}; "
            "export the model with this version or install the one that wrote it"
        )
    try:
        hashes = data["files"]
        bundle = Bundle(
            path=path,
            model_id=str(data["model_id"]),
            robot=RobotSpec.from_json(data["robot"]),
            algorithm=str(data["algorithm"]),
            gamma=float(data["gamma"]),
            blocks=tuple(int(size) for size in data["blocks"]),
            encoder_features=tuple(data["encoder_features"]),
            block_features=tuple(tuple(names) for names in data["block_features"]),
            provenance=dict(data["provenance"]),
            evaluation=dict(data["evaluation"]),
        )
        verify_hashes(path, dict(hashes), bundle.model_id)
        _verify_numbers(bundle)
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
        raise FbRosError(
            f"{path / DESCRIPTION} lacks or garbles an entry ({error!r}); {REMEDY}"
        ) from error
    return bundle


def _verify_numbers(bundle: Bundle) -> None:
    if not 0.0 < bundle.gamma < 1.0:
        raise FbRosError(f"{bundle.path}: gamma is {bundle.gamma}, expected between 0 and 1")
    if not bundle.blocks or min(bundle.blocks) < 1:
        raise FbRosError(f"{bundle.path}: blocks are {bundle.blocks}, expected lengths above 0")
    for name in bundle.encoder_features:
        bundle.robot.feature(name)
    if len(bundle.block_features) != len(bundle.blocks) or {
        name for names in bundle.block_features for name in names
    } != set(bundle.encoder_features):
        raise FbRosError(
            f"{bundle.path}: block_features {bundle.block_features} do not fit the blocks and "
            f"the features {bundle.encoder_features}"
        )


def _read_description(path: Path) -> dict[str, Any]:
    file = path / DESCRIPTION
    if not path.is_dir():
        raise FbRosError(f"there is no bundle at {path}: no such folder")
    if not file.is_file():
        raise FbRosError(f"there is no bundle at {path}: it lacks {DESCRIPTION}")
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise FbRosError(f"{file} is not readable ({error}); {REMEDY}") from error
    if not isinstance(data, dict):
        raise FbRosError(f"{file} holds {type(data).__name__}, expected an object; {REMEDY}")
    return data
