"""The time of an update's parts, by PyTorch's own profiler."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable

from torch.autograd.profiler_util import FunctionEvent
from torch.profiler import ProfilerActivity, profile

from training.compute.parts import PREFIX, part

PARTS = (
    *("sampling", "encoding of tasks", "targets", "B", "F", "pairs", "orthonormality"),
    *("actor", "advantage", "optimiser", "averaging"),
)
"""`pairs` is the Bellman error of the successor measure over all pairs of states."""
REST = "rest"

_WHOLE = "whole"
_BACKWARD = "autograd::engine::evaluate_function"


def part_shares(update: Callable[[], None], repeats: int) -> dict[str, float]:
    """The share of each part in an update, forward and backward together, and of the `rest`.

    Shares are medians over `repeats` updates, run one by one, so that other load on the machine
    affects few of them. The profiler itself makes short operations look longer than they are.
    """
    found: dict[str, list[float]] = defaultdict(list)
    for _ in range(repeats):
        with profile(activities=[ProfilerActivity.CPU]) as profiler, part(_WHOLE):
            update()
        times = _part_times(profiler.events())
        whole = sum(times.values())
        for name in (*PARTS, REST):
            found[name].append(times.get(name, 0.0) / whole)
    return {name: statistics.median(shares) for name, shares in found.items()}


def _part_times(events: Iterable[FunctionEvent]) -> dict[str, float]:
    """Microseconds of each part; the backward pass is assigned by the forward operation of each
    step.

    Both carry autograd's sequence number of the step. An operation that is no step carries the
    number of the next one, so the last one to start with a number is the step itself.
    """
    in_order = sorted(events, key=lambda event: event.time_range.start)
    part_of_step: dict[int, str] = {}
    for event in in_order:
        if event.sequence_nr >= 0 and not _is_backward(event):
            part_of_step[event.sequence_nr] = _marked(event)
    times: dict[str, float] = defaultdict(float)
    for event in in_order:
        name = _marked(event)
        ancestor: FunctionEvent | None = event
        while ancestor is not None and not ancestor.name.startswith(PREFIX):
            if ancestor.name.startswith(_BACKWARD):
                name = part_of_step.get(ancestor.sequence_nr, REST)
                break
            ancestor = ancestor.cpu_parent
        times[name] += event.self_cpu_time_total
    return times


def _is_backward(event: FunctionEvent | None) -> bool:
    while event is not None:
        if event.name.startswith(_BACKWARD):
            return True
        event = event.cpu_parent
    return False


def _marked(event: FunctionEvent | None) -> str:
    """The innermost part that contains an event."""
    while event is not None:
        if event.name.startswith(PREFIX):
            name = event.name.removeprefix(PREFIX)
            return name if name in PARTS else REST
        event = event.cpu_parent
    return REST
