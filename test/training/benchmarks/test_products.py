"""What is counted as the products of an update."""

from __future__ import annotations

import torch

from training.benchmarks.products import flop_of, layer_rate


def test_products_are_counted_forward_and_backward() -> None:
    rows, weights = torch.randn(32, 64), torch.randn(64, 16, requires_grad=True)

    def update() -> None:
        (rows @ weights).relu().sum().backward()

    # The gradient of the weights is a product of the same size.
    assert flop_of(update) == 2 * (2 * 32 * 64 * 16)


def test_a_layer_has_a_rate() -> None:
    assert layer_rate(8, 8) > 0.0
