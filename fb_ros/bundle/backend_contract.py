"""The contract of a backend, as tests that anybody can run on a backend of their own.

class TestMine(BackendContract):
@pytest.fixture
def bundle(self) -> Bundle:
return load_bundle("models/mine")

@pytest.fixture
def open_graph(self, bundle):
return lambda graph, precision="fp32": MyBackend(bundle.graph_file(graph, ...))
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fb_ros.backends.backend import Backend
from fb_ros.backends.graphs import GRAPHS, POLICY, PRECISIONS, VALUE
from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.golden import golden_errors, tolerated_error
from fb_ros.errors import FbRosError

OpenGraph = Callable[..., Backend]
"""Opens a graph of the bundle, `open_graph(graph, precision="fp32")`."""


class BackendContract:
    """A mixin for pytest: its class has the fixtures `bundle` and `open_graph`."""

    def test_golden_vectors_are_repeated(self, bundle: Bundle, open_graph: OpenGraph) -> None:
        """Every graph in every precision repeats them, to the tolerance of the runtime."""
        for graph in GRAPHS:
            for precision in PRECISIONS:
                loaded = open_graph(graph, precision)
                errors = golden_errors(loaded, bundle.golden[graph])
                assert set(errors) == set(loaded.output_names), graph
                assert max(errors.values()) <= tolerated_error(loaded.name, precision), graph

    def test_outputs_are_the_callers_own(self, bundle: Bundle, open_graph: OpenGraph) -> None:
        """The next run does not write over the outputs, and they are float32."""
        loaded, inputs = open_graph(POLICY), policy_inputs(bundle)
        first = loaded.run(inputs)
        kept = [output.copy() for output in first]
        loaded.run({**inputs, "observation": inputs["observation"] + 0.3})
        for output, before in zip(first, kept, strict=True):
            np.testing.assert_array_equal(output, before)
            assert output.dtype == np.float32

    def test_inputs_are_left_as_they_are_and_may_be_float64(
        self, bundle: Bundle, open_graph: OpenGraph
    ) -> None:
        """The backend only reads the caller's inputs."""
        inputs = policy_inputs(bundle)
        before = {name: value.copy() for name, value in inputs.items()}
        open_graph(POLICY).run(inputs)
        for name, value in inputs.items():
            assert value.dtype == np.float64
            np.testing.assert_array_equal(value, before[name])

    def test_any_number_of_rows_gives_that_many(
        self, bundle: Bundle, open_graph: OpenGraph
    ) -> None:
        """An input that may have any length gives the same result in any order of lengths."""
        (case,) = bundle.golden[VALUE]
        loaded = open_graph(VALUE)
        for rows in (1, 3, 32, 2):
            found = []
            for count in (rows, 5, rows):
                inputs = {
                    name: np.resize(value, (count, value.shape[1]))
                    for name, value in case.inputs.items()
                }
                found.append(loaded.run(inputs)[0])
            assert found[0].shape == (case.outputs["q"].shape[0], rows)
            np.testing.assert_array_equal(found[0], found[2])

    def test_inputs_that_do_not_fit_are_refused_in_one_line_and_harm_nothing(
        self, bundle: Bundle, open_graph: OpenGraph
    ) -> None:
        """The test passes a missing, an unknown, a longer and a flat input."""
        loaded, inputs = open_graph(POLICY), policy_inputs(bundle)
        before = loaded.run(inputs)
        without_noise = {name: value for name, value in inputs.items() if name != "noise"}
        z = inputs["z"]
        for wrong in (
            without_noise,
            {**inputs, "wind": np.zeros(3)},
            {**inputs, "z": np.concatenate([z, z], axis=1)},
            {**inputs, "z": z[0]},
        ):
            refusal = _refusal(loaded, wrong)
            assert "the graph" in refusal
            assert "\n" not in refusal
            for output, again in zip(before, loaded.run(inputs), strict=True):
                np.testing.assert_array_equal(output, again)

    def test_a_log_line_can_say_what_runs_it(self, open_graph: OpenGraph) -> None:
        """`runtime` is one line, and not empty."""
        loaded = open_graph(POLICY)
        assert loaded.runtime
        assert "\n" not in loaded.runtime


def policy_inputs(bundle: Bundle) -> dict[str, np.ndarray]:
    """Inputs of `policy.onnx`, taken from its first golden vector."""
    return dict(bundle.golden[POLICY][0].inputs)


def _refusal(loaded: Backend, inputs: dict[str, np.ndarray]) -> str:
    try:
        loaded.run(inputs)
    except FbRosError as error:
        return str(error)
    return "nothing was refused"
