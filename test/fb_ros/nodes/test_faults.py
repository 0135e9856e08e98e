"""Whatever goes wrong, the robot does what the documentation says, and goes on afterwards."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import rclpy

from sim.bench.benchmark_faults import inject
from sim.bench.fault import Fault
from sim.bench.fault_bench import FaultBench, fault_bench
from sim.bench.faults import FAULTS


@pytest.fixture(scope="module")
def bench() -> Iterator[FaultBench]:
    rclpy.init()
    try:
        with fault_bench() as bench:
            bench.start()
            yield bench
    finally:
        rclpy.try_shutdown()


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_each_fault(bench: FaultBench, fault: Fault) -> None:
    # How fast is what `fb_ros benchmark faults` is about. A busy machine may itself be a fault:
    # a robot that is to go on gets another chance to.
    found = []
    for number in range(3):
        found.append(inject(bench, fault, number))
        if found[-1].as_expected:
            break
    assert found[-1].as_expected
    assert not sum(injection.wrong for injection in found)
