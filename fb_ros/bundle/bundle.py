"""The model bundle: a folder of graphs, states and a description, verified on loading."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

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
from fb_ros.bundle.description import read_description
from fb_ros.bundle.files import DESCRIPTION, GOLDEN, REFERENCE_STATES, REMEDY
from fb_ros.bundle.golden import Golden, read_golden, require_golden
from fb_ros.bundle.onnx_file import read_onnx
from fb_ros.bundle.reference_states import read_reference_states
from fb_ros.bundle.signature import require_signed
from fb_ros.bundle.time_limit import within
from fb_ros.errors import FbRosError, shown
from fb_ros.robot.field import Field, layout_size
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.sanity import is_number, require_list, require_names, require_text

# Rows that an engine is built for: states of a reward, and usual and most values at a time.
_MOST_STATES, _VALUES = 10_000, (32, 1024)
_MOST_Z = 1 << 16
_LOAD_SECONDS = 60.0
"""Most seconds in which a graph repeats its golden vectors; it needs a few hundredths of one."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bundle:
    """A verified bundle. Graphs and reference states are loaded on first use."""

    path: Path
    """The folder."""
    model_id: str
    """SHA-256 over every byte of the bundle, 64 hexadecimal digits."""
    robot: RobotSpec
    """The robot that the model drives."""
    algorithm: str
    """`fb`, `fb_ar`, `fb_aw` or `fb_aware`."""
    gamma: float
    """Discount of the model's values."""
    blocks: tuple[int, ...]
    """Lengths of the auto-regressive blocks of `z`."""
    encoder_features: tuple[str, ...]
    """Features that `B` reads; a reward may use only these."""
    block_features: tuple[tuple[str, ...], ...]
    """Features that each block reads. A task that uses none of a block's features leaves the block
    open."""
    provenance: dict[str, Any]
    """Data, configuration, seed, duration, commit and learning curve."""
    evaluation: dict[str, Any]
    """Measurements that `fb_ros evaluate` made of this model before it was exported."""
    reference: str = "states"
    """Kind of the reference states: `states`, or `strides`, which are mean states over a stride
    that a walking robot kept up. A model whose tasks were such strides knows how to do each."""

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
        return read_reference_states(self.path / REFERENCE_STATES, self.robot)

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

        Loading verifies the graph's shapes, and that it repeats its golden vectors in time, which
        also warms it up.
        """
        expected = self.input_shapes(graph)
        file = self.graph_file(graph, threads, precision)

        def verify(loaded: Backend) -> None:
            if loaded.input_shapes != expected:
                raise FbRosError(
                    f"{file.path} takes {loaded.input_shapes}, the description says {expected}; "
                    + REMEDY
                )
            within(
                _LOAD_SECONDS,
                f"running the golden vectors of {file.path}",
                lambda: require_golden(loaded, self.golden[graph], file.precision),
            )

        return make_backend(backend, file, verify)

    def graph_file(self, graph: str, threads: int = 1, precision: Precision = "fp32") -> GraphFile:
        """The file of one of the graphs, and how a runtime will use it.

        Raises:
            FbRosError: The graph holds something that no runtime should load (`read_onnx`).
        """
        name = graph_file(graph, precision)
        read_onnx(self.path / name)
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
        """Input shapes of one of the graphs; None where any length is allowed."""
        return input_shapes(
            graph,
            obs_dim=self.robot.obs_dim,
            act_dim=self.robot.act_dim,
            read=layout_size(self.encoder_fields),
            blocks=self.blocks,
        )


def load_bundle(path: Path, *, signed_by: Path | None = None) -> Bundle:
    """Reads and verifies the bundle in the folder `path`.

    Raises:
        FbRosError: Anything is missing, damaged or out of bounds, or the owner of the public key
            in the file `signed_by` did not sign it.
    """
    data, content = read_description(path)
    if signed_by is not None:
        require_signed(path, content, signed_by)
    try:
        bundle = Bundle(
            path=path,
            model_id=data["model_id"],
            robot=RobotSpec.from_json(data["robot"]),
            algorithm=data["algorithm"],
            gamma=data["gamma"],
            blocks=tuple(data["blocks"]),
            encoder_features=tuple(data["encoder_features"]),
            block_features=tuple(tuple(names) for names in data["block_features"]),
            provenance=dict(data["provenance"]),
            evaluation=dict(data["evaluation"]),
            reference=data.get("reference", "states"),
        )
        _verify(bundle)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise FbRosError(
            f"{path / DESCRIPTION} lacks or garbles an entry ({shown(error)}); {REMEDY}"
        ) from error
    return bundle


def _verify(bundle: Bundle) -> None:
    where = f"{bundle.path}:"
    require_text(f"{where} algorithm", bundle.algorithm)
    if not is_number(bundle.gamma) or not 0.0 < bundle.gamma < 1.0:
        raise FbRosError(f"{where} gamma is {shown(bundle.gamma)}, expected between 0 and 1")
    if bundle.reference not in ("states", "strides"):
        raise FbRosError(
            f"{where} reference is {shown(bundle.reference)}, expected states or strides"
        )
    sizes = require_list(f"{where} blocks", bundle.blocks)
    if not sizes or any(type(size) is not int or not 0 < size <= _MOST_Z for size in sizes):
        raise FbRosError(f"{where} blocks are {shown(sizes)}, expected lengths above 0")
    require_names(f"{where} encoder_features", bundle.encoder_features)
    for name in bundle.encoder_features:
        bundle.robot.feature(name)
    for names in require_list(f"{where} block_features", bundle.block_features):
        require_names(f"{where} block_features", names)
    if len(bundle.block_features) != len(bundle.blocks) or {
        name for names in bundle.block_features for name in names
    } != set(bundle.encoder_features):
        raise FbRosError(
            f"{where} block_features {shown(bundle.block_features)} do not fit the blocks and "
            f"the features {shown(bundle.encoder_features)}"
        )
