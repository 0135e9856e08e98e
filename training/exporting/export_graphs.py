"""The ONNX graphs of a model: self-describing, and in two precisions."""

from __future__ import annotations

import contextlib
import io
import json
import warnings
from pathlib import Path

import onnx
import torch
from onnx import version_converter
from torch import nn

from fb_ros.backends.graphs import HALF, OUTPUTS, Shapes, input_shapes
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.exporting.graph_meanings import graph_meanings
from training.exporting.graph_modules import graph_modules
from training.exporting.half_precision import half_precision

# torch's exporter writes opset 18 or later; TensorRT 8.6 to 11 and older versions read 17.
_TORCH_OPSET, _OPSET = 18, 17

_IR_VERSION = 8  # The IR version of the ONNX release that brought opset 17.


def write_graphs(networks: Networks, agent: AgentConfig, spec: RobotSpec, folder: Path) -> None:
    """Writes the graphs of a model, with names, units, normalisers and FP16 variants."""
    read = int(networks.columns.numel())
    sizes = {"obs_dim": spec.obs_dim, "act_dim": spec.act_dim, "read": read}
    for file, module in graph_modules(networks, agent).items():
        shapes = input_shapes(file, **sizes, blocks=agent.sizes)
        model = _export(module, shapes, OUTPUTS[file])
        _describe(model, file, graph_meanings(file, agent, spec))
        _save(model, folder / file)
        if file in HALF:
            _save(half_precision(model), folder / HALF[file])


def _export(module: nn.Module, shapes: Shapes, outputs: tuple[str, ...]) -> onnx.ModelProto:
    n = torch.export.Dim("n", min=1)
    # Inputs of any length get two rows: the exporter treats a single row as a constant.
    inputs = tuple(
        torch.ones([2 if size is None else size for size in shape]) for shape in shapes.values()
    )
    dynamic = {
        name: {axis: n for axis, size in enumerate(shape) if size is None}
        for name, shape in shapes.items()
    }
    # The exporter reports its progress on standard output, which is reserved for the result.
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            module.eval(),
            inputs,
            input_names=list(shapes),
            output_names=list(outputs),
            opset_version=_TORCH_OPSET,
            dynamic_shapes=dynamic,
            dynamo=True,
        )
    assert program is not None  # It is None only if torch writes the file itself.
    model = program.model_proto
    _strip(model)
    model = version_converter.convert_version(model, _OPSET)
    model.ir_version = _IR_VERSION
    return model


def _strip(model: onnx.ModelProto) -> None:
    """Removes the exporter's notes, which contain source lines and paths of this machine."""
    graph = model.graph
    for part in (model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info):
        del part.metadata_props[:]
        part.doc_string = ""
    for initializer in graph.initializer:
        del initializer.metadata_props[:]
        initializer.doc_string = ""
    for node in graph.node:
        # opset 17 cannot express reductions over no axes, but none occur.
        for attribute in [a for a in node.attribute if a.name == "noop_with_empty_axes"]:
            node.attribute.remove(attribute)


def _describe(model: onnx.ModelProto, file: str, meanings: dict[str, str]) -> None:
    """Describes inputs and outputs in the graph itself."""
    model.doc_string = model.graph.name = file.removesuffix(".onnx")
    described = {}
    for value in (*model.graph.input, *model.graph.output):
        value.doc_string = described[value.name] = meanings[value.name]
    onnx.helper.set_model_props(model, {"fb_ros": json.dumps(described)})


def _save(model: onnx.ModelProto, path: Path) -> None:
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
