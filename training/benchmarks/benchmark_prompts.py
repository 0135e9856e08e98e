"""The time of a prompt, from its arrival at the node to the `z` that the node publishes."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from diagnostic_msgs.msg import DiagnosticStatus

from fb_ros.bundle.bundle import load_bundle
from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import values_of
from fb_ros.prompts.reward_formula import parse_formula
from fb_ros.task_inference.candidates import above, baseline
from fb_ros.task_inference.task_encoder import TaskEncoder
from sim.client.running_robot import running_robot
from sim.robots.registry import make_environment
from training.agents.agent_networks import Networks
from training.agents.recipes import agent_config
from training.exporting.untrained import write_untrained
from training.networks.encoding import encode

_STATES = 10_000
# Largest difference between the graph's z and PyTorch's: they sum ten thousand float32 in another
# order.
_TOLERATED = 1e-4
_AGENT = agent_config("fb_ar", "reaching", d=64, blocks=4, hidden=256, backward_hidden=256)
_FORMULAS = {
    # Few states carry it, as with a goal.
    "sparse": "norm(tcp_pos - [{x:.4f}, 0, 0.01]) < 0.05",
    # All states carry it.
    "dense": "-norm(tcp_pos - [{x:.4f}, 0, 0.01])",
}


def benchmark_prompts(repeats: int) -> list[dict[str, object]]:
    """Returns rows for prompts to the node, and for PyTorch's eager evaluation of the dense one.

    The model's weights are random, since their values do not affect the time.
    """
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder) / "bundle"
        networks = _write_model(bundle)
        rows = [
            {"case": case, **_figures(times)} for case, times in _through_the_node(bundle, repeats)
        ]
        rows.append(
            {
                "case": "torch_eager",
                **_figures(_eager(networks, bundle, repeats)),
                "reference": True,
            }
        )
    return rows


def _write_model(bundle: Path) -> Networks:
    """A bundle with random weights and random states; returns its networks."""
    spec = make_environment("point_mass").spec
    generator = torch.Generator().manual_seed(0)
    # The mass gets about 0.2 m far; observation and features have the same length here.
    states = 0.2 * (2.0 * torch.rand(_STATES, spec.feature_dim, generator=generator) - 1.0)
    return write_untrained(_AGENT, spec, states, states.clone(), bundle)


def _through_the_node(bundle: Path, repeats: int) -> list[tuple[str, list[float]]]:
    cases = []
    places = np.linspace(-0.2, 0.2, repeats)
    options = {"bundle": str(bundle), "namespace": "benchmark", "log_level": "warn"}
    with running_robot("point_mass", options, frame="world") as client:

        def timed(publish: Callable[[float], DiagnosticStatus]) -> list[float]:
            return [float(values_of(publish(x))["time_ms"]) for x in places]

        cases.append(("goal", timed(lambda x: client.publish_goal(np.array([x, 0.0, 0.01])))))
        for case, text in _FORMULAS.items():
            times = timed(lambda x, text=text: client.publish_formula(text.format(x=x)))  # type: ignore[misc]
            cases.append((case, times))
    return cases


@torch.no_grad()
def _eager(networks: Networks, bundle: Path, repeats: int) -> list[float]:
    """Times the trainer's own encoding of the dense formula, in eager PyTorch on all its
    threads."""
    loaded = load_bundle(bundle)
    encoder = TaskEncoder(loaded)
    states = torch.from_numpy(encoder.reference)
    formula = parse_formula(_FORMULAS["dense"].format(x=0.1), loaded.robot.features)
    asked = torch.ones(_AGENT.blocks)

    def weights() -> np.ndarray:
        rewards = formula(loaded.reference_features)
        return above(rewards, baseline(rewards))

    def eager() -> torch.Tensor:
        return encode(networks.backward_map, states, torch.from_numpy(weights()).float(), asked).z

    ours = encoder.encode(encoder.reference, weights(), asked.numpy()).z
    error = float(np.abs(ours - eager().numpy()).max())
    if error > _TOLERATED:
        raise FbRosError(f"the two ways differ by {error:g} in z, expected {_TOLERATED:g}")
    return _timed(eager, repeats)


def _timed(call: Callable[[], object], repeats: int) -> list[float]:
    call()
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append((time.perf_counter() - started) * 1e3)
    return times


def _figures(times: list[float]) -> dict[str, float]:
    return {
        "p50_ms": float(np.percentile(times, 50)),
        "p99_ms": float(np.percentile(times, 99)),
        "max_ms": float(np.max(times)),
    }
