"""The profile of an update: forward and backward work go to the part that they belong to."""

from __future__ import annotations

import pytest
import torch

from training.benchmarks.update_profile import PARTS, REST, part_shares
from training.compute.parts import part


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def test_the_backward_pass_belongs_to_the_part_of_the_forward_one() -> None:
    """With a product in each of two parts, of which one is differentiated, elsewhere."""
    large, small = torch.randn(256, 256, requires_grad=True), torch.randn(8, 8)

    def update() -> None:
        with part("F"):
            loss = (large @ large).square().mean()
        with part("targets"):
            small @ small
        loss.backward()

    shares = part_shares(update, 9)
    assert set(shares) == {*PARTS, REST}
    assert shares["F"] > 0.5
    assert shares["F"] > 5.0 * shares["targets"] > 0.0
    assert shares["advantage"] == 0.0


def test_shares_add_up_to_one() -> None:
    def update() -> None:
        with part("B"):
            torch.ones(3) + 1.0
        torch.ones(3) * 2.0

    assert sum(part_shares(update, 1).values()) == pytest.approx(1.0)
