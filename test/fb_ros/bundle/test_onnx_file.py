"""Graphs: what a runtime is never given, found before it allocates anything."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from fb_ros.backends.graphs import GRAPH_FILES
from fb_ros.bundle.onnx_file import read_onnx
from fb_ros.errors import FbRosError

FLOAT = TensorProto.FLOAT


def model(
    *nodes: onnx.NodeProto,
    tensors: tuple[onnx.TensorProto, ...] = (),
    opsets: tuple[tuple[str, int], ...] = (("", 17),),
) -> onnx.ModelProto:
    given = helper.make_tensor_value_info("x", FLOAT, [1])
    found = helper.make_tensor_value_info("y", FLOAT, [1])
    graph = helper.make_graph(nodes or (relu(),), "g", [given], [found], initializer=tensors)
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def relu(**options: str) -> onnx.NodeProto:
    return helper.make_node("Relu", ["x"], ["y"], **options)


def written(folder: Path, content: onnx.ModelProto | bytes) -> Path:
    path = folder / "graph.onnx"
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    return path


def refusal(path: Path) -> str:
    with pytest.raises(FbRosError) as error:
        read_onnx(path)
    assert "\n" not in str(error.value)
    return str(error.value)


def branch() -> onnx.GraphProto:
    return helper.make_graph(
        [helper.make_node("Relu", ["x"], ["b"])],
        "branch",
        [],
        [helper.make_tensor_value_info("b", FLOAT, [1])],
    )


@pytest.mark.parametrize("file", GRAPH_FILES)
def test_it_finds_what_onnx_finds(shipped_bundle: Path, file: str) -> None:
    found, expected = read_onnx(shipped_bundle / file), onnx.load(shipped_bundle / file)
    assert found.opset == expected.opset_import[0].version
    assert found.nodes == len(expected.graph.node)
    assert found.operators == tuple(sorted({node.op_type for node in expected.graph.node}))
    in_nodes = [
        attribute.t
        for node in expected.graph.node
        for attribute in node.attribute
        if attribute.type == onnx.AttributeProto.TENSOR
    ]
    tensors = [*expected.graph.initializer, *in_nodes]
    assert found.elements == sum(numpy_helper.to_array(tensor).size for tensor in tensors)


@pytest.mark.parametrize("field", ["float_data", "raw_data"])
def test_however_a_tensor_holds_its_numbers_they_are_counted(tmp_path: Path, field: str) -> None:
    values = np.ones(1, np.float32)
    raw = field == "raw_data"
    tensor = helper.make_tensor("t", FLOAT, [1], values.tobytes() if raw else values, raw=raw)
    assert read_onnx(written(tmp_path, model(tensors=(tensor,)))).elements == 1


@pytest.mark.parametrize("operator", ["If", "Loop", "Scan"])
def test_graphs_may_not_loop_or_branch(tmp_path: Path, operator: str) -> None:
    graph = model(helper.make_node(operator, ["x"], ["y"], body=branch()))
    assert "may not loop or branch" in refusal(written(tmp_path, graph))


def test_a_graph_inside_any_operator_is_refused(tmp_path: Path) -> None:
    graph = model(helper.make_node("Relu", ["x"], ["y"], hidden=branch()))
    assert "graph inside" in refusal(written(tmp_path, graph))


def test_custom_operators_are_refused(tmp_path: Path) -> None:
    graph = model(relu(domain="com.example"), opsets=(("", 17), ("com.example", 1)))
    assert "custom domain 'com.example'" in refusal(written(tmp_path, graph))


def test_local_functions_are_refused(tmp_path: Path) -> None:
    graph = model()
    graph.functions.append(
        helper.make_function("com.example", "F", ["x"], ["y"], [relu()], graph.opset_import)
    )
    assert "functions" in refusal(written(tmp_path, graph))


def test_data_in_another_file_are_refused(tmp_path: Path) -> None:
    tensor = numpy_helper.from_array(np.ones(3, np.float32), "t")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    assert "another file" in refusal(written(tmp_path, model(tensors=(tensor,))))


@pytest.mark.parametrize("dims", [[10**15], [10**9, 10**9, 10**9], [-1]])
def test_a_tensor_that_promises_more_than_it_has_is_refused(
    tmp_path: Path, dims: list[int]
) -> None:
    tensor = numpy_helper.from_array(np.ones(3, np.float32), "t")
    tensor.dims[:] = dims
    assert "promises" in refusal(written(tmp_path, model(tensors=(tensor,))))
    constant = model(helper.make_node("Constant", [], ["y"], value=tensor))
    assert "promises" in refusal(written(tmp_path, constant))


@pytest.mark.parametrize("version", [0, 6, 99])
def test_another_opset_is_refused(tmp_path: Path, version: int) -> None:
    graph = model(opsets=(("", version),))
    assert f"opset is {version}, expected 13 to 21" in refusal(written(tmp_path, graph))


@pytest.mark.parametrize("content", [b"", b"no model", b"\x3a\xff\xff\xff\xff\x7f", b"\x08" * 20])
def test_what_is_no_model_is_refused(tmp_path: Path, content: bytes) -> None:
    refusal(written(tmp_path, content))


@given(place=st.floats(0.0, 1.0, exclude_max=True), bit=st.integers(0, 7), cut=st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_damaged_graph_is_read_or_refused(
    root: Path, tmp_path_factory: pytest.TempPathFactory, place: float, bit: int, cut: bool
) -> None:
    content = bytearray((root / "models" / "point_mass" / "task_encoder_fp16.onnx").read_bytes())
    at = int(place * len(content))
    content[at] ^= 1 << bit
    path = written(tmp_path_factory.getbasetemp(), bytes(content[:at] if cut else content))
    with contextlib.suppress(FbRosError):
        read_onnx(path)
