"""The golden vectors of a model: the trainer's own answers, computed in float64."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import torch

from fb_ros.backends.graphs import (
    BEST_OF,
    CANDIDATES,
    IMAGINE,
    OUTPUTS,
    POLICY,
    TASK_ENCODER,
    VALUE,
)
from fb_ros.bundle.golden import Golden, GoldenCase
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.exporting.graph_modules import graph_modules
from training.networks.encoding import encode, sample_sphere

_POLICY_CASES, _BEST_OF_CASES, _VALUE_ROWS = 32, 8, 16
# Candidates for best-of inputs; the ones taken have choices that rounding cannot change.
_BEST_OF_DRAWS = 100
_DENSE_STATES, _SPARSE_STATES = 512, 16


def golden_vectors(
    networks: Networks, agent: AgentConfig, features: torch.Tensor, observation: torch.Tensor
) -> Golden:
    """Inputs and outputs of each graph, at the states `(n, feature_dim)` and `(n, obs_dim)`."""
    # The last bits of a sum depend on the number of threads, and the model's id on those bits.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            return _golden_vectors(networks, agent, features, observation)
    finally:
        torch.set_num_threads(threads)


def _golden_vectors(
    networks: Networks, agent: AgentConfig, features: torch.Tensor, observation: torch.Tensor
) -> Golden:
    exact = copy.deepcopy(networks).double().eval()
    modules = {
        graph: module.double().eval() for graph, module in graph_modules(exact, agent).items()
    }
    generator = torch.Generator().manual_seed(0)
    states = _rounded(features[:, networks.columns])
    observation = _rounded(observation)
    act_dim = networks.policy.act_dim

    def normal(*shape: int) -> torch.Tensor:
        return _rounded(torch.randn(*shape, generator=generator))

    def case(graph: str, name: str, **inputs: torch.Tensor) -> GoldenCase:
        found = modules[graph](**inputs)
        outputs = found if isinstance(found, tuple) else (found,)
        return GoldenCase(
            name,
            {key: value.numpy() for key, value in inputs.items()},
            {key: value.numpy() for key, value in zip(OUTPUTS[graph], outputs, strict=True)},
        )

    def some_state() -> int:
        return int(torch.randint(len(states), (), generator=generator))

    def some_z(i: int) -> torch.Tensor:
        """The `z` of a goal, or a random one: `(1, d)`."""
        if i % 2:
            return _rounded(sample_sphere(1, agent.sizes, generator))
        asked = torch.ones(len(agent.sizes), dtype=torch.float64)
        one = torch.ones(1, dtype=torch.float64)
        row = some_state()
        return _rounded(encode(exact.backward_map, states[row : row + 1], one, asked).z[None])

    def at_a_state(graph: str, name: str, i: int, noise: torch.Tensor) -> GoldenCase:
        row = some_state()
        return case(graph, name, observation=observation[row : row + 1], z=some_z(i), noise=noise)

    policy = [
        at_a_state(POLICY, f"{i:02d}", i, normal(1, act_dim) * (i % 4 > 1))
        for i in range(_POLICY_CASES)
    ]
    best_of = [
        at_a_state(BEST_OF, f"{i:02d}", i, normal(CANDIDATES, act_dim))
        for i in range(_BEST_OF_DRAWS)
    ]
    best_of = sorted(best_of, key=_clearness)[-_BEST_OF_CASES:]
    rows = torch.randint(len(states), (_VALUE_ROWS,), generator=generator)
    value = case(
        VALUE,
        "rows",
        observation=observation[rows],
        action=normal(_VALUE_ROWS, act_dim).clamp(-1.0, 1.0),
        z=_rounded(sample_sphere(_VALUE_ROWS, agent.sizes, generator)),
        reward=_rounded(sample_sphere(_VALUE_ROWS, agent.sizes, generator)),
    )
    golden = {
        POLICY: policy,
        BEST_OF: best_of,
        TASK_ENCODER: _encodings(case, states, len(agent.sizes)),
        VALUE: [value],
    }
    if IMAGINE in modules:
        inputs = {name: torch.from_numpy(value.inputs[name]) for name in ("observation", "z")}
        golden[IMAGINE] = [case(IMAGINE, "rows", **inputs)]
    return golden


def _encodings(
    case: Callable[..., GoldenCase], states: torch.Tensor, blocks: int
) -> list[GoldenCase]:
    """A goal, a few states, some blocks left open, and a reward that falls off over many
    states."""

    def some(name: str, count: int, asked: torch.Tensor) -> GoldenCase:
        chosen = states[:count]
        distance = ((chosen - chosen[0]) / chosen.std(0, correction=0).clamp(min=1e-3)).norm(dim=1)
        weights = _rounded(torch.exp(-2.0 * distance))
        return case(
            TASK_ENCODER,
            name,
            features=chosen,
            weights=weights,
            reward=_rounded(weights - weights.mean()),
            asked=asked,
        )

    asked = torch.ones(blocks, dtype=torch.float64)
    partly = asked.clone()
    partly[-1] = 0.0
    return [
        some("goal", 1, asked),
        some("sparse", min(_SPARSE_STATES, len(states)), asked),
        some("partly_asked", min(_SPARSE_STATES, len(states)), partly),
        some("dense", min(_DENSE_STATES, len(states)), asked),
    ]


def _rounded(values: torch.Tensor) -> torch.Tensor:
    """Values that float32 represents exactly, so that every runtime gets the same inputs."""
    return values.float().double()


def _clearness(case: GoldenCase) -> float:
    """The margin of the best candidate over the second."""
    second, best = np.sort(case.outputs["q"])[-2:]
    return float(best - second)
