"""The parameters of several networks as one vector."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

# Parameters start at multiples of a cache line, where vector instructions load fastest.
_ALIGNMENT = 16


class FlatParameters:
    """Makes the parameters of `modules` views of one `vector`, and their gradients of another.

    Operations on all parameters, such as Adam's step and the averaging of weights, then take one
    call instead of one for each of some twenty parameters, most of them short. Modules must not be
    moved to another device afterwards.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self.parameters = [list(module.parameters()) for module in modules]
        """The parameters of each module."""
        first = self.parameters[0][0]
        lengths = [sum(_padded(p) for p in parameters) for parameters in self.parameters]
        self.vector = torch.zeros(sum(lengths), dtype=first.dtype, device=first.device)
        self.parts = [nn.Parameter(part) for part in self.vector.split(lengths)]
        """Each module's part of the vector, which an optimiser steps."""
        for part, parameters in zip(self.parts, self.parameters, strict=True):
            for parameter, own in zip(parameters, views(part.detach(), parameters), strict=True):
                own.copy_(parameter.data)
                parameter.data = own
            if all(parameter.requires_grad for parameter in parameters):
                part.grad = torch.zeros_like(part)
                for parameter, own in zip(parameters, views(part.grad, parameters), strict=True):
                    parameter.grad = own

    def differentiate(self, loss: torch.Tensor, *modules: int) -> None:
        """Writes the gradient of `loss` with respect to the parameters of the modules with these
        numbers to where the optimiser reads it; zero if the loss does not depend on a
        parameter."""
        parameters = [p for module in modules for p in self.parameters[module]]
        gradients = torch.autograd.grad(loss, parameters, materialize_grads=True)
        own = [p.grad for p in parameters if p.grad is not None]
        torch._foreach_copy_(own, list(gradients))

    @torch.no_grad()
    def follow(self, other: FlatParameters, rate: float) -> None:
        """Moves by `rate` towards the same parameters of `other`, which may have additional
        ones."""
        self.vector.lerp_(other.vector[: len(self.vector)], rate)


def views(part: torch.Tensor, parameters: Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """The pieces of a vector `part` that belong to the parameters, in their shapes."""
    pieces = part.split([_padded(parameter) for parameter in parameters])
    return [
        piece[: parameter.numel()].view(parameter.shape)
        for piece, parameter in zip(pieces, parameters, strict=True)
    ]


def _padded(parameter: torch.Tensor) -> int:
    return -(-parameter.numel() // _ALIGNMENT) * _ALIGNMENT
