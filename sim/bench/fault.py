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
    """The fault in a few words."""
    expected: Expected
    """What the robot is to do: be told to stand still, go on, be stopped by its own drive since
    nobody is there to tell it, or either of the first two."""
    begin: Callable[[FaultBench, int], None]
    """Makes it happen; gets the number of the injection."""
    heal: Callable[[FaultBench], None]
    """Ends it."""
    prepare: Callable[[FaultBench], None] = lambda bench: None
    """Gets the bench ready for it, before the robot moves."""
    lasts: bool = True
    """Whether the robot has to stand still until the fault is ended."""
    keeps_processes: bool = True
    """Whether all processes are the same ones afterwards."""
    timeout: float = 0.0
    """Seconds that it may last before it counts as a fault."""
