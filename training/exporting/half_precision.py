"""FP16 variants of graphs, typed in the graph itself: TensorRT 11 takes every type from there.

Hidden layers are computed in FP16: they are nearly all of the work, and their values are of order
one. Normalisers, Fourier features, last layers, spheres and sums over states stay in float32.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Only sums and reshaping operations lie between a layer's product and its activation.
_PASSING = {"Add", "Reshape", "Gather", "Squeeze", "Unsqueeze", "Expand", "Transpose"}
_PRODUCTS = {"MatMul", "Gemm"}


def half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same graph with float32 inputs and outputs and its hidden layers in FP16."""
    half = onnx.ModelProto()
    half.CopyFrom(model)
    graph = half.graph
    hidden = _hidden(graph)
    values = {initializer.name: initializer for initializer in graph.initializer}
    floats = _float_tensors(half)
    makers = {output: node.name for node in graph.node for output in node.output}
    cast: dict[tuple[str, int], str] = {}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        wanted = TensorProto.FLOAT16 if node.name in hidden else TensorProto.FLOAT
        for i, name in enumerate(node.input):
            have = TensorProto.FLOAT16 if makers.get(name) in hidden else TensorProto.FLOAT
            if name not in floats or have == wanted:
                continue
            if (name, wanted) not in cast:
                suffix = "half" if wanted == TensorProto.FLOAT16 else "float"
                cast[name, wanted] = own = f"{name}_{suffix}"
                if name in values:
                    array = numpy_helper.to_array(values[name]).astype(np.float16)
                    graph.initializer.append(numpy_helper.from_array(array, own))
                else:
                    nodes.append(helper.make_node("Cast", [name], [own], own, to=wanted))
            node.input[i] = cast[name, wanted]
        nodes.append(node)
    outputs = {value.name for value in graph.output}
    if any(makers[name] in hidden for name in outputs):
        raise ValueError("a hidden layer is an output of the graph")
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]  # The types of intermediate tensors have changed.
    used = {name for node in nodes for name in node.input} | outputs
    kept = [value for value in graph.initializer if value.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
    return half


def _float_tensors(model: onnx.ModelProto) -> set[str]:
    """Names of all tensors of float32."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    names = {value.name for value in graph.initializer if value.data_type == TensorProto.FLOAT}
    for value in (*graph.input, *graph.output, *graph.value_info):
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            names.add(value.name)
    return names


def _hidden(graph: onnx.GraphProto) -> set[str]:
    """Names of the nodes of hidden layers: everything from a product to its activation."""
    makers = {output: node for node in graph.node for output in node.output}
    constant = _constant(graph)
    found: set[str] = set()

    def mark(node: onnx.NodeProto) -> None:
        """Marks the node, and the nodes that compute its weights."""
        found.add(node.name)
        for name in node.input:
            if name in makers and makers[name].name in constant:
                mark(makers[name])

    def walk(name: str) -> None:
        node = makers.get(name)
        if node is None:
            return
        if node.op_type in _PRODUCTS:
            mark(node)
        elif node.op_type in _PASSING and node.name not in constant:
            mark(node)
            for name in node.input:
                walk(name)

    for node in graph.node:
        if node.op_type == "Relu":
            found.add(node.name)
            walk(node.input[0])
    return found


def _constant(graph: onnx.GraphProto) -> set[str]:
    """Names of the nodes that depend only on weights."""
    fixed = {initializer.name for initializer in graph.initializer}
    names = set()
    for node in graph.node:
        # ConstantOfShape has its type in an attribute.
        if node.op_type != "ConstantOfShape" and all(name in fixed for name in node.input if name):
            names.add(node.name)
            fixed |= set(node.output)
    return names
