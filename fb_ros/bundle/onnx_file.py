"""Inspects an ONNX file before a runtime allocates anything for it.

Only the structure is read (onnx.proto3 of the ONNX project has the numbers of the fields); no
tensor is copied. A graph may come from anybody, so it must not make a runtime read other files,
run other code, or loop.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path

from fb_ros.bundle.protobuf import Value, fields, numbers, text
from fb_ros.errors import FbRosError

OPSETS = range(13, 22)
"""Accepted versions of the standard operators; the export writes 17."""
MOST_BYTES = 512 << 20
"""Most bytes of a file."""
MOST_NODES = 20_000
"""Most nodes of a graph."""

# Numbers of the messages' fields, by their names in onnx.proto3.
_MODEL_GRAPH, _MODEL_OPSETS, _MODEL_TRAINING, _MODEL_FUNCTIONS = 7, 8, 20, 25
_OPSET_DOMAIN, _OPSET_VERSION = 1, 2
_GRAPH_NODE, _GRAPH_TENSOR, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS = 5, 10
_ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (6, 11), (22, 23)
_TENSOR_DIMS, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 1, 13, 14
_TENSOR_DATA = (4, 5, 6, 7, 9, 10, 11)

_STANDARD = ("", "ai.onnx")
_CONTROL_FLOW = ("If", "Loop", "Scan", "SequenceMap")
# Two elements of four bits share a byte; all other types take more.
_ELEMENTS_A_BYTE = 2


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnnxFile:
    """The findings about an ONNX file."""

    size: int
    """Size of the file in bytes."""
    opset: int
    """Version of the standard operators."""
    nodes: int
    """How many operators the graph has."""
    operators: tuple[str, ...]
    """Names of the operators, in alphabetical order."""
    elements: int
    """How many numbers the graph's tensors hold."""


def read_onnx(path: Path) -> OnnxFile:
    """Inspects a graph.

    Raises:
        FbRosError: The file is no whole model, has external data, local functions, a custom
            operator or one that loops or branches, another opset, or promises tensors that are
            larger than their data.
    """
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise FbRosError(f"{path} has {size} bytes, at most {MOST_BYTES} are read")
        found = _model(memoryview(path.read_bytes()))
    except OSError as error:
        raise FbRosError(f"{path} is not readable ({error.strerror})") from error
    except ValueError as error:
        raise FbRosError(f"{path} is refused: {error}") from error
    return found


def _model(content: memoryview) -> OnnxFile:
    graph: memoryview | None = None
    opset = 0
    for number, value in fields(content):
        if number == _MODEL_GRAPH:
            if graph is not None:
                raise ValueError("it holds more than one graph")
            graph = _message(value)
        elif number == _MODEL_OPSETS:
            opset = max(opset, _standard_opset(_message(value)))
        elif number in (_MODEL_FUNCTIONS, _MODEL_TRAINING):
            raise ValueError("it brings functions or a training of its own, which are not run")
    if graph is None:
        raise ValueError("it holds no graph; expected an ONNX model")
    if opset not in OPSETS:
        raise ValueError(f"its opset is {opset}, expected {OPSETS.start} to {OPSETS[-1]}")
    operators, nodes, elements = set(), 0, 0
    for number, value in fields(graph):
        if number == _GRAPH_NODE:
            nodes += 1
            if nodes > MOST_NODES:
                raise ValueError(f"it has more than {MOST_NODES} operators")
            name, of_node = _node(_message(value))
            operators.add(name)
            elements += of_node
        elif number == _GRAPH_TENSOR:
            elements += _tensor(_message(value))
        elif number == _GRAPH_SPARSE:
            raise ValueError("it holds sparse tensors, which are not read")
    return OnnxFile(
        size=len(content),
        opset=opset,
        nodes=nodes,
        operators=tuple(sorted(operators)),
        elements=elements,
    )


def _standard_opset(entry: memoryview) -> int:
    """Version of the standard operators; 0 for custom operators, which no node may use."""
    domain, version = "", 0
    for number, value in fields(entry):
        if number == _OPSET_DOMAIN:
            domain = text(value)
        elif number == _OPSET_VERSION and isinstance(value, int):
            version = value
    return version if domain in _STANDARD else 0


def _node(node: memoryview) -> tuple[str, int]:
    """Name of the operator, and how many numbers are in its attributes."""
    operator, elements = "", 0
    for number, value in fields(node):
        if number == _NODE_OPERATOR:
            operator = text(value)
        elif number == _NODE_DOMAIN and text(value) not in _STANDARD:
            raise ValueError(f"it has an operator of the custom domain {text(value)!r}")
        elif number == _NODE_ATTRIBUTE:
            elements += sum(map(_tensor, _attribute_tensors(_message(value))))
    if operator in _CONTROL_FLOW:
        raise ValueError(f"it has the operator {operator}; graphs may not loop or branch")
    return operator, elements


def _attribute_tensors(attribute: memoryview) -> Iterator[memoryview]:
    for number, value in fields(attribute):
        if number in _ATTRIBUTE_GRAPHS:
            raise ValueError("an operator has a graph inside; graphs may not loop or branch")
        if number in _ATTRIBUTE_SPARSE:
            raise ValueError("it holds sparse tensors, which are not read")
        if number in (_ATTRIBUTE_TENSOR, _ATTRIBUTE_TENSORS):
            yield _message(value)


def _tensor(tensor: memoryview) -> int:
    """How many numbers a tensor has; its data must hold as many."""
    dims: list[int] = []
    size = 0
    for number, value in fields(tensor):
        if number == _TENSOR_DIMS:
            dims += numbers(value)
        elif number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value):
            raise ValueError("it has data in another file; a bundle's graphs hold their own")
        elif number in _TENSOR_DATA:
            # A single number of a list that is not packed takes at least a byte.
            size += 1 if isinstance(value, int) else max(1, len(value))
    elements = math.prod(dims)
    if elements > _ELEMENTS_A_BYTE * size:
        raise ValueError(f"a tensor promises {elements} numbers and has {size} bytes")
    return elements


def _message(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number stands where a message belongs; it is no ONNX model")
    return value
