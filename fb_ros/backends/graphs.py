"""The graphs of a bundle: their files, inputs and outputs."""

from __future__ import annotations

from typing import Literal, get_args

from fb_ros.settings import require_one_of

POLICY = "policy.onnx"
BEST_OF = "best_of.onnx"
TASK_ENCODER = "task_encoder.onnx"
VALUE = "value.onnx"
GRAPHS = (POLICY, BEST_OF, TASK_ENCODER, VALUE)
IMAGINE = "imagine.onnx"
"""The policy and the learned dynamics, if the model has any; runs on the CPU only."""

Precision = Literal["fp32", "fp16"]
"""Precision of the hidden layers; inputs, outputs and sums are float32 in both."""
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

# The robot runs these graphs again and again. A value is read by a person, once a prompt, so its
# graph stays in float32.
HALF = {
    POLICY: "policy_fp16.onnx",
    BEST_OF: "best_of_fp16.onnx",
    TASK_ENCODER: "task_encoder_fp16.onnx",
}
GRAPH_FILES = (*GRAPHS, *HALF.values())
"""Graphs that every bundle has."""

OUTPUTS = {
    POLICY: ("action", "mean", "scale"),
    BEST_OF: ("action", "q"),
    TASK_ENCODER: ("z", "mean"),
    VALUE: ("q",),
    IMAGINE: ("action", "next_observation"),
}
"""Names of each graph's outputs, in their order."""

CANDIDATES = 32
"""Number of actions among which `best_of.onnx` chooses."""

Shapes = dict[str, tuple[int | None, ...]]
"""Shapes of the inputs; None where any length is allowed."""


def require_precision(name: str) -> Precision:
    """The precision of that name; refuses one that does not exist."""
    return require_one_of("precision", name, PRECISIONS)


def graph_file(graph: str, precision: Precision) -> str:
    """The file that holds `graph` in that precision, or in float32 where there is no other."""
    return HALF.get(graph, graph) if precision == "fp16" else graph


def input_shapes(
    graph: str, *, obs_dim: int, act_dim: int, read: int, blocks: tuple[int, ...]
) -> Shapes:
    """Shapes of the inputs of `graph` for a model of these sizes.

    `read` is the number of components of the features that `B` reads.
    """
    d = sum(blocks)
    shapes: dict[str, Shapes] = {
        POLICY: {"observation": (1, obs_dim), "z": (1, d), "noise": (1, act_dim)},
        BEST_OF: {"observation": (1, obs_dim), "z": (1, d), "noise": (CANDIDATES, act_dim)},
        TASK_ENCODER: {
            "features": (None, read),
            "weights": (None,),
            "reward": (None,),
            "asked": (len(blocks),),
        },
        VALUE: {
            "observation": (None, obs_dim),
            "action": (None, act_dim),
            "z": (None, d),
            "reward": (None, d),
        },
        IMAGINE: {"observation": (None, obs_dim), "z": (None, d)},
    }
    return shapes[graph]
