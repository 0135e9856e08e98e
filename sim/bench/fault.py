"""A fault: something that goes wrong between a robot and its controller."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal

from sim.bench.fault_bench import FaultBench

Expected = Literal["stops", "goes on", "drive stops", "either"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that goes wrong."""

    name: str
    """Describes the fault in a few words."""
    expected: Expected
    """The expected reaction: the robot gets stop commands, goes on, is stopped by its own drive
    since no controller is left to stop it, or either of the first two."""
    begin: Callable[[FaultBench, int], None]
    """Makes the fault; gets the number of the injection."""
    heal: Callable[[FaultBench], None]
    """Ends the fault."""
    prepare: Callable[[FaultBench], None] = lambda bench: None
    """Prepares the bench for the fault, before the robot moves."""
    lasts: bool = True
    """Whether the robot has to stand still until the fault is ended."""
    keeps_processes: bool = True
    """Whether all processes survive the fault."""
    timeout: float = 0.0
    """How long it may last before it counts as a fault, s."""
