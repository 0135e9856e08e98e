"""Training on another device than the CPU: everything is there, and nothing waits for it.

Without a GPU, PyTorch's `meta` device stands for one: its tensors have shapes and no data, so that
whatever would have to wait for a value raises. What mixes devices is caught besides.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from fb_ros.cli import main
from fb_ros.errors import FbRosError
from sim.robots.point_mass import SPEC
from test.training.agents.test_agent import random_transitions, small_config
from training.agents.agent import Agent
from training.agents.agent_config import ALGORITHMS, AgentConfig, Algorithm
from training.agents.recipes import Recipe
from training.agents.sampler import Sampler
from training.agents.td3 import RewardedBatch, Td3, normalizer_of
from training.agents.td3_config import Td3Config
from training.collecting.collect_config import CollectConfig
from training.commands.collect import collect
from training.commands.train import train
from training.compute import distributed
from training.compute.device import CPU, choose_device, moved
from training.data.data import Transitions
from training.data.record import read_record
from training.networks.weights import copied
from training.runs.checkpoint import load_checkpoint, write_checkpoint
from training.runs.train_config import TrainConfig

META = torch.device("meta")
CUDA = torch.device("cuda", 0)
needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
_COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class OneDevice(TorchDispatchMode):
    """Refuses every operation on tensors of several devices, but for copies between them.

    As CUDA does, it lets a single number on the CPU be part of one. Adam's fused step, which needs
    data, does nothing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.operations = 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        tensors = [x for x in tree_leaves((args, kwargs)) if isinstance(x, torch.Tensor)]
        devices = {tensor.device for tensor in tensors if tensor.ndim or tensor.device != CPU}
        assert len(devices) < 2 or func in _COPIES, f"{func} of {devices}"
        self.operations += META in devices
        if func is torch.ops.aten._fused_adam_.default and META in devices:
            return None
        return func(*args, **kwargs or {})


@pytest.fixture
def precisions(monkeypatch: pytest.MonkeyPatch) -> set[tuple[str, bool]]:
    """Devices and whether precision was lowered on them: `meta` itself knows no precisions."""
    found: set[tuple[str, bool]] = set()
    original = torch.autocast

    def autocast(device: str, dtype: torch.dtype = torch.bfloat16, enabled: bool = True) -> Any:
        found.add((device, enabled))
        return original("cpu", dtype, enabled) if device == "cpu" else contextlib.nullcontext()

    monkeypatch.setattr(torch, "autocast", autocast)
    return found


@pytest.fixture(autouse=True)
def _fused_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Adam would refuse to be fused on `meta`, as it is on the CPU and on a GPU."""
    monkeypatch.setattr(
        sys.modules["torch.optim.optimizer"],
        "_get_fused_kernels_supported_devices",
        lambda: ["cpu", "cuda", "meta"],
    )


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Pretends that PyTorch finds so many."""

    def pretend(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    for name in ("WORLD_SIZE", "LOCAL_RANK"):
        monkeypatch.delenv(name, raising=False)
    return pretend


def devices_of(*modules: torch.nn.Module) -> set[torch.device]:
    return {tensor.device for module in modules for tensor in module.state_dict().values()}


@pytest.mark.parametrize("recipe", ["textbook", "reaching"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_update_is_on_its_device_alone_and_waits_for_nothing(
    algorithm: Algorithm, recipe: Recipe, precisions: set[tuple[str, bool]]
) -> None:
    shares = {"goal_share": 0.3, "region_share": 0.2, "mixture_share": 0.2, "reward_share": 0.2}
    config = small_config(algorithm, recipe, bfloat16=True, reward_states=8, **shares)
    data = random_transitions()
    agent = Agent(config, SPEC, data, META)
    sampler = Sampler(config, SPEC, data, agent.networks)
    generator = torch.Generator().manual_seed(0)
    with OneDevice() as seen:
        for _ in range(2):
            batch, negatives, z = sampler.sample(generator)
            figures = agent.update(batch, negatives, z, generator)
    assert seen.operations > 100
    assert {x.device for x in (*vars(batch).values(), negatives, z)} == {META}
    assert {figure.device for figure in figures.values()} == {META}
    assert devices_of(agent.networks, agent.target, agent.averaged) == {META}
    assert {p.grad.device for p in agent.networks.parameters() if p.grad is not None} == {META}
    for optimizer in (agent.optimizer, agent.policy_optimizer):
        moments = [value for state in optimizer.state.values() for value in state.values()]
        assert {moment.device for moment in moments} == {META}
    assert precisions == {("meta", True), ("meta", False)}


def test_an_update_of_td3_is_on_its_device_alone_and_waits_for_nothing() -> None:
    n, generator = 8, torch.Generator().manual_seed(0)
    normalizer = normalizer_of(np.zeros(3), np.ones(3))
    agent = Td3(Td3Config(hidden=8), 3, 2, normalizer, META)
    batch = RewardedBatch(
        observation=torch.zeros(n, 3),
        action=torch.zeros(n, 2),
        reward=torch.zeros(n),
        next_observation=torch.zeros(n, 3),
        discount=torch.ones(n),
    )
    with OneDevice():
        for _ in range(2):
            figures = agent.update(batch.to(META), generator)
    assert {figure.device for figure in figures.values()} == {META}
    assert devices_of(*agent.modules().values()) == {META}


def test_operations_on_several_devices_are_caught() -> None:
    """That the tests above can fail."""
    with OneDevice(), pytest.raises(AssertionError, match=r"aten\.add"):
        torch.zeros(3, device=META) + torch.zeros(3)
    with pytest.raises(RuntimeError):
        float(torch.zeros((), device=META))


def training_on(
    device: torch.device, config: AgentConfig, data: Transitions
) -> tuple[Agent, Sampler, torch.Generator]:
    """A training at its start, the same on every device."""
    torch.manual_seed(0)
    agent = Agent(config, SPEC, data, device)
    sampler = Sampler(config, SPEC, data, agent.networks)
    return agent, sampler, torch.Generator().manual_seed(0)


@pytest.mark.usefixtures("precisions")
def test_all_random_numbers_are_drawn_on_the_cpu() -> None:
    """As many for every device, so that weights, batches and noise are those of the seed."""
    data, config = random_transitions(), small_config("fb_aware")
    states = []
    for device in (CPU, META):
        agent, sampler, generator = training_on(device, config, data)
        with OneDevice():
            agent.update(*sampler.sample(generator), generator)
        states.append((generator.get_state(), torch.get_rng_state()))
    assert torch.equal(states[0][0], states[1][0])
    assert torch.equal(states[0][1], states[1][1])


def test_a_tensor_goes_to_a_gpu_by_way_of_pinned_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = []

    def pin(tensor: torch.Tensor) -> torch.Tensor:
        pinned.append(tensor)
        return tensor

    monkeypatch.setattr(torch.Tensor, "pin_memory", pin)
    with FakeTensorMode():
        here = torch.zeros(3)
        there = moved(here, CUDA)
        assert there.device == CUDA
        assert moved(there, CUDA) is there
        assert copied(there).device == CPU
    assert len(pinned) == 1
    assert pinned[0] is here
    assert moved(here, CPU) is here


@pytest.mark.filterwarnings("ignore:.*which is a no-op")  # There are no data on meta.
def test_what_was_trained_on_one_device_goes_on_on_another(tmp_path: Path) -> None:
    data, config = random_transitions(), small_config("fb_aware", "reaching")
    agents = [Agent(config, SPEC, data, device) for device in (CPU, META)]
    generators = torch.get_rng_state().unsqueeze(0)
    write_checkpoint(tmp_path / "checkpoint", agents[0], generators, {})
    for agent in agents:
        load_checkpoint(tmp_path / "checkpoint", agent)
        device = agent.networks.device
        assert devices_of(agent.networks, agent.target, agent.averaged) == {device}
        moments = [state["exp_avg"] for state in agent.optimizer.state.values()]
        assert {moment.device for moment in moments} == {device}


def test_networks_on_the_cpu_are_evaluated_as_they_are() -> None:
    networks = Agent(small_config("fb"), SPEC, random_transitions()).networks
    assert networks.on_cpu() is networks


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "cuda:-1", "", "mps", "CPU"])
def test_an_unknown_device_is_refused(name: str) -> None:
    with pytest.raises(FbRosError, match="expected cpu, cuda, cuda:N or auto"):
        choose_device(name)


@pytest.mark.parametrize("words", [["train"], ["topline"], ["benchmark", "training"]])
def test_without_a_gpu_there_is_one_line_about_it(
    words: list[str], gpus: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    gpus(0)
    assert main([*words, "--device", "cuda"]) == 1
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "device is 'cuda', and PyTorch" in error
    assert "finds the cpu alone; use --device cpu" in error


def test_a_training_says_where_it_computed(gpus: Callable[[int], None], tmp_path: Path) -> None:
    gpus(0)
    data, out = tmp_path / "data", tmp_path / "run"
    collect(CollectConfig(robot="point_mass", out=data, episodes=2, episode_steps=30, workers=1))
    agent = small_config("fb_aware", hidden=16)
    settings: dict[str, Any] = {"updates": 2, "eval_goals": 1, "threads": 1, "agent": agent}
    train(TrainConfig(robot="point_mass", data=(data,), out=out, device="auto", **settings))
    assert read_record(out / "run.json")["device"] == "cpu"


def test_the_device_is_the_one_that_is_named(gpus: Callable[[int], None]) -> None:
    gpus(0)
    assert choose_device("auto") == CPU
    gpus(2)
    assert choose_device("cpu") == CPU
    assert choose_device("auto") == choose_device("cuda") == CUDA
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    with pytest.raises(FbRosError, match=r"no cuda:2, the last is cuda:1; use one that is there"):
        choose_device("cuda:2")


def test_each_process_takes_a_gpu_of_its_own(
    gpus: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    gpus(2)
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device("cuda") == torch.device("cuda", 1)
    assert choose_device("cpu") == CPU
    with pytest.raises(FbRosError, match="takes a GPU of its own; use --device cuda"):
        choose_device("cuda:0")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(FbRosError, match="use torchrun --nproc-per-node 2, or --device cpu"):
        choose_device("cuda")


@pytest.mark.parametrize(("device", "backend"), [(CPU, "gloo"), (CUDA, "cpu:gloo,cuda:nccl")])
def test_processes_on_gpus_exchange_by_nccl_and_what_is_on_the_cpu_by_gloo(
    device: torch.device, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.distributed, "init_process_group", asked.append)
    distributed.join(device)
    assert asked == [backend]


@needs_gpu
@pytest.mark.parametrize("recipe", ["textbook", "reaching"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_gpu_trains_as_the_cpu_does(algorithm: Algorithm, recipe: Recipe) -> None:
    data, config = random_transitions(), small_config(algorithm, recipe)
    found = []
    for device in (CPU, CUDA):
        agent, sampler, generator = training_on(device, config, data)
        for _ in range(3):
            figures = agent.update(*sampler.sample(generator), generator)
        found.append({name: float(figure) for name, figure in figures.items()})
    assert found[1] == pytest.approx(found[0], rel=1e-3, abs=1e-5)


@needs_gpu
def test_a_checkpoint_of_a_gpu_goes_on_on_the_cpu(tmp_path: Path) -> None:
    data, config = random_transitions(), small_config("fb_aware", "reaching")
    there, here = (Agent(config, SPEC, data, device) for device in (CUDA, CPU))
    generator = torch.Generator().manual_seed(0)
    sampler = Sampler(config, SPEC, data, there.networks)
    there.update(*sampler.sample(generator), generator)
    write_checkpoint(tmp_path / "checkpoint", there, generator.get_state()[None], {})
    load_checkpoint(tmp_path / "checkpoint", here)
    assert there.averaged.on_cpu().device == CPU
    for name, value in there.averaged.on_cpu().state_dict().items():
        assert torch.equal(value, here.averaged.state_dict()[name])
