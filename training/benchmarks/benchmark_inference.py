"""The graphs of untrained networks on every backend, compared with eager PyTorch."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import numpy as np
import torch

from fb_ros.backends import ONNXRUNTIME
from fb_ros.backends.graphs import BEST_OF, POLICY, TASK_ENCODER
from fb_ros.benchmark_inference import CASES, Row, call_figures, graph_inputs, inference_rows
from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.errors import FbRosError
from fb_ros.task_inference.task_encoder import encoder_threads
from sim.robots.registry import make_environment
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.agents.recipes import agent_config
from training.exporting.graph_modules import graph_modules
from training.exporting.untrained import write_untrained

_STATES = 10_000
# Largest relative difference between float32 sums of ten thousand terms in two orders.
_TOLERATED = 1e-4
# The time of an encoding depends on the width of B, which is the same in both.
_TIMED = {256: (POLICY, BEST_OF, TASK_ENCODER), 1024: (POLICY, BEST_OF)}


def benchmark_inference(repeats: int) -> list[Row]:
    """Returns rows for every backend, and `torch_eager` as the reference."""
    rows: list[Row] = []
    spec = make_environment("jaco").spec
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(_STATES, spec.feature_dim, generator=generator)
    observation = torch.randn(_STATES, spec.obs_dim, generator=generator)
    for hidden, graphs in _TIMED.items():
        agent = agent_config(
            "fb_ar", "reaching", d=64, blocks=4, hidden=hidden, backward_hidden=256
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bundle"
            networks = write_untrained(agent, spec, features, observation, path)
            bundle = load_bundle(path)
            for graph in graphs:
                found = inference_rows(bundle, repeats, (graph,))
                found.append(_eager(networks, agent, bundle, graph, repeats))
                rows += [{"case": row.pop("case"), "hidden": hidden, **row} for row in found]
    return rows


def _eager(
    networks: Networks, agent: AgentConfig, bundle: Bundle, graph: str, repeats: int
) -> Row:
    """Times the trainer's own modules, on as many threads as ONNX Runtime has."""
    module = graph_modules(networks, agent)[graph].eval()
    inputs = graph_inputs(bundle, graph)
    tensors = [torch.from_numpy(value) for value in inputs.values()]
    before = torch.get_num_threads()
    torch.set_num_threads(encoder_threads() if graph == TASK_ENCODER else 1)
    try:
        with torch.inference_mode():
            figures = call_figures(graph, functools.partial(module, *tensors), repeats)
            _require_same(module(*tensors), bundle.load_graph(graph, ONNXRUNTIME).run(inputs))
    finally:
        torch.set_num_threads(before)
    return {
        "case": CASES[graph],
        "backend": "torch_eager",
        "precision": "fp32",
        **figures,
        "reference": True,
    }


def _require_same(eager: tuple[torch.Tensor, ...], found: list[np.ndarray]) -> None:
    for tensor, array in zip(eager, found, strict=True):
        expected = tensor.numpy()
        error = float(np.abs(array - expected).max() / max(1.0, np.abs(expected).max()))
        if not error <= _TOLERATED:
            raise FbRosError(f"the two ways differ by {error:g}, at most {_TOLERATED:g} is so")
