"""Parameters as views of one vector: their values stay, and both see what the other does."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from training.compute import arithmetic
from training.compute.device import CPU
from training.compute.flat_parameters import FlatParameters

_XEON = {"architecture": "x86_64", "cpu_name": "Intel Xeon", "avx512_bf16": True}


def test_a_step_on_the_vector_is_a_step_of_each_parameter() -> None:
    torch.manual_seed(0)
    alone, together = (nn.Sequential(nn.Linear(3, 5), nn.Linear(5, 2)) for _ in range(2))
    together.load_state_dict(alone.state_dict())
    flat = FlatParameters(list(together))
    for name, value in together.state_dict().items():
        assert torch.equal(value, alone.state_dict()[name])
    own = torch.optim.Adam(alone.parameters(), lr=0.1)
    joint = torch.optim.Adam(flat.parts, lr=0.1)
    x = torch.randn(7, 3)
    for _ in range(3):
        own.zero_grad()
        alone(x).square().mean().backward()
        own.step()
        flat.differentiate(together(x).square().mean(), 0, 1)
        joint.step()
    for mine, theirs in zip(together.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs)


def test_what_a_loss_does_not_depend_on_stays() -> None:
    layers = [nn.Linear(3, 5), nn.Linear(5, 2)]
    flat = FlatParameters(layers)
    before = layers[1].weight.clone()
    optimizer = torch.optim.Adam(flat.parts, lr=0.1)
    flat.differentiate(layers[0](torch.ones(1, 3)).square().mean(), 0, 1)
    optimizer.step()
    assert torch.equal(layers[1].weight, before)


def test_followers_move_by_the_rate() -> None:
    online, target = nn.Linear(3, 5), nn.Linear(3, 5).requires_grad_(False)
    expected = target.weight + 0.25 * (online.weight - target.weight)
    FlatParameters([target]).follow(FlatParameters([online, nn.Linear(5, 2)]), 0.25)
    torch.testing.assert_close(target.weight, expected)


@pytest.mark.parametrize(
    ("found", "pays"),
    [
        ({"amx_bf16": True}, True),
        ({"amx_bf16": False}, False),
        ({"amx_bf16": False, "cpu_name": "AMD EPYC 9004"}, True),
        ({"amx_bf16": False, "cpu_name": "AMD EPYC 7003", "avx512_bf16": False}, False),
        ({"architecture": "aarch64"}, True),
    ],
)
def test_bfloat16_is_for_processors_that_multiply_it_faster(
    found: dict[str, object], pays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: _XEON | found)
    assert arithmetic.bfloat16_pays(CPU) == pays
    assert arithmetic.bfloat16_pays(torch.device("cuda", 0))
