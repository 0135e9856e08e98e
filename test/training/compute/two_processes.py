"""Gradients of one update, by this process or with others: run by test_processes.py."""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

from sim.robots.point_mass import SPEC
from test.training.agents.test_agent import random_transitions, small_config
from training.agents.agent import Agent
from training.agents.agent_config import ALGORITHMS
from training.compute import distributed
from training.data.data import Batch
from training.networks.encoding import sample_sphere


def gradients() -> dict[str, torch.Tensor]:
    """Those of every algorithm's update on this process's share of one batch, by name."""
    torch.set_num_threads(1)
    found = {}
    cases = [(algorithm, "textbook") for algorithm in ALGORITHMS] + [("fb_aware", "reaching")]
    for algorithm, recipe in cases:
        torch.manual_seed(0)
        config = small_config(algorithm, recipe, noise=0.0)  # type: ignore[arg-type]
        data = random_transitions()
        agent = Agent(config, SPEC, data)
        for networks in (agent.networks, agent.averaged, agent.target):
            networks.double()
        agent.flatten()
        # Noise is each process's own; without it, there is one right answer.
        policy = agent.networks.policy
        policy.draw = _means  # type: ignore[method-assign]
        generator = torch.Generator().manual_seed(0)
        batch = data.sample(config.batch, generator)
        z = sample_sphere(config.encodings, config.sizes, generator).double()
        shape = (config.encodings, config.negatives, len(agent.networks.columns))
        negatives = torch.randn(shape, generator=generator).double()
        rows = {name: own(value.double()) for name, value in vars(batch).items()}
        agent.update(Batch(**rows), own(negatives), own(z), generator)
        for name, parameter in agent.networks.named_parameters():
            if parameter.grad is not None:
                found[f"{algorithm}.{recipe}.{name}"] = parameter.grad
    return found


def _means(
    mean: torch.Tensor, scale: torch.Tensor, generator: torch.Generator, count: int
) -> torch.Tensor:
    return mean.repeat(count, 1, 1)


def own(rows: torch.Tensor) -> torch.Tensor:
    return rows.chunk(distributed.count())[distributed.rank()].contiguous()


if __name__ == "__main__":
    distributed.join()
    save_file(gradients(), Path(sys.argv[1]) / f"{distributed.rank()}.safetensors")
    distributed.leave()
