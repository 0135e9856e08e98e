"""What the tests of training share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch


@pytest.fixture(autouse=True)
def _tiny_numbers_count() -> Iterator[None]:
    """A command that trains takes them for zero until its process ends, which here goes on."""
    yield
    torch.set_flush_denormal(False)
