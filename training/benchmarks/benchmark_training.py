"""Updates of each algorithm per second on this machine, and the time of an update's parts."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch

from fb_ros.robot.field import Field
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent import Agent
from training.agents.agent_config import ALGORITHMS, AgentConfig, Algorithm
from training.agents.recipes import agent_config
from training.agents.sampler import Sampler
from training.benchmarks.products import flop_of, layer_rate
from training.benchmarks.update_profile import part_shares
from training.compute.device import choose_device, device_name, wait_for
from training.data.data import Transitions
from training.data.flat_data import in_memory

# Sizes of public forward-backward agents, for comparison.
_OBS_DIM, _ACT_DIM, _Z_DIM, _ROWS = 42, 9, 64, 100_000
_SIZES = ((256, 256), (1024, 1024))
_JOINTS = tuple(f"joint_{index}" for index in range(_OBS_DIM))
_STATE = Field(name="state", source="joint_position", joints=_JOINTS, unit="", description="")
_SPEC = RobotSpec(
    name="noise",
    observation=(_STATE,),
    features=(_STATE,),
    action_joints=_JOINTS[:_ACT_DIM],
    action_interface="velocity",
    action_low=(-1.0,) * _ACT_DIM,
    action_high=(1.0,) * _ACT_DIM,
    ctrl_dt=0.04,
    goal_feature="state",
    goal_low=(-1.0,) * _OBS_DIM,
    goal_high=(1.0,) * _OBS_DIM,
)


def _noise() -> Transitions:
    """Data of the right sizes; their values do not affect the time."""
    rng = np.random.default_rng(0)
    observation = rng.standard_normal((_ROWS, _OBS_DIM), dtype=np.float32)
    action = rng.uniform(-1.0, 1.0, size=(_ROWS, _ACT_DIM)).astype(np.float32)
    flat = in_memory(observation, action, observation, np.ones(_ROWS))
    return Transitions.of(flat, _SPEC)


class _Case:
    """An agent in training, and the times of its updates."""

    def __init__(
        self, algorithm: Algorithm, data: Transitions, device: torch.device, **settings: Any
    ) -> None:
        self.config: AgentConfig = agent_config(algorithm, d=_Z_DIM, **settings)
        self._device = device
        torch.manual_seed(0)
        self._agent = Agent(self.config, _SPEC, data, device)
        self._sampler = Sampler(self.config, _SPEC, data, self._agent.networks)
        self._generator = torch.Generator().manual_seed(0)
        self.seconds: list[float] = []

    def update(self) -> None:
        """Makes one whole update, including drawing its batch."""
        started = time.perf_counter()
        self._agent.update(*self._sampler.sample(self._generator), self._generator)
        wait_for(self._device)
        self.seconds.append(time.perf_counter() - started)

    def products(self, repeats: int) -> dict[str, object]:
        """The products of one update, and their share of its time at a hidden layer's rate."""
        flop, shares = flop_of(self.update), []
        for _ in range(repeats):
            rate = layer_rate(self.config.batch, self.config.hidden)
            self.update()
            shares.append(flop / rate / self.seconds[-1])
        return {"gflop": flop / 1e9, "products": statistics.median(shares)}

    def row(self) -> dict[str, object]:
        """The figures, without the first update, which warms up."""
        config, seconds = self.config, sorted(self.seconds[1:])
        return {
            "case": config.algorithm,
            "device": device_name(self._device),
            "hidden": config.hidden,
            "batch": config.batch,
            "blocks": config.blocks,
            "precision": "bfloat16" if config.bfloat16 else "float32",
            "per_s": 1.0 / seconds[len(seconds) // 2],
            "best_per_s": 1.0 / seconds[0],
        }


def profile_training(
    repeats: int, device: str = "cpu", threads: int = 2
) -> list[dict[str, object]]:
    """Returns rows for the algorithms at the smaller size in float32: an update's time by part.

    `products` is the share of the time that the update's products of matrices, `gflop`, take if
    each is as fast as a hidden layer's, timed just before: a better program could at most save the
    rest. On a GPU both are left out.
    """
    there, data = choose_device(device), _noise()
    hidden, batch = _SIZES[0]
    rows: list[dict[str, object]] = []
    with _threads(threads):
        for algorithm in ALGORITHMS:
            sizes = {"hidden": hidden, "batch": batch, "bfloat16": False}
            case = _Case(algorithm, data, there, **sizes)
            for _ in range(3):
                case.update()
            row: dict[str, object] = {"case": algorithm, **part_shares(case.update, repeats)}
            if there.type == "cpu":
                row |= case.products(repeats)
            rows.append(row)
    return rows


def benchmark_training(
    repeats: int, device: str = "cpu", threads: int = 2
) -> list[dict[str, object]]:
    """Returns rows for the algorithms at two sizes, in both precisions, then for more blocks,
    larger batches and wider networks of `fb_aware`.

    They take turns, so that other load on the machine affects all of them alike.
    """
    there, data = choose_device(device), _noise()
    cases = [
        _Case(algorithm, data, there, hidden=hidden, batch=batch, bfloat16=bfloat16)
        for hidden, batch in _SIZES
        for bfloat16 in (True, False)
        for algorithm in ALGORITHMS
    ]
    hidden, batch = _SIZES[0]
    for growth in (
        *({"blocks": blocks} for blocks in (2, 8, 16)),
        *({"batch": times * batch} for times in (2, 4, 8)),
        *({"hidden": times * hidden} for times in (2, 4)),
    ):
        cases.append(_Case("fb_aware", data, there, **{"hidden": hidden, "batch": batch} | growth))
    with _threads(threads):
        for _ in range(repeats + 1):
            for case in cases:
                case.update()
    return [case.row() for case in cases]


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
