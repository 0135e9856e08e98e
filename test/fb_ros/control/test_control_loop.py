"""The control loop without any middleware: what is sent, and what a hanging policy leads to."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from fb_ros.control.control_loop import ControlLoop, rehearsal_lead
from fb_ros.control.control_settings import ControlSettings
from fb_ros.control.joint_reading import JointReading
from fb_ros.control.standing import STOP_REPEATS
from fb_ros.control.step import Observation, Order
from test.fb_ros.robot.test_robot_spec import SPEC

DT = SPEC.ctrl_dt
Z = np.ones(4, dtype=np.float32)
MODEL = "a" * 64


class ScriptedPolicy:
    """Says half of full speed, unless it is told to fail or to wait."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.gate: threading.Event | None = None

    def command(self, observation: np.ndarray, z: np.ndarray) -> np.ndarray:
        if self.gate is not None:
            assert self.gate.wait(10.0)
        if self.error is not None:
            raise self.error
        return np.full(SPEC.act_dim, 0.5)


class CountingAlarm:
    """Counts how often it is set, and whether it would ring."""

    def __init__(self) -> None:
        self.times_set, self.is_set = 0, False

    def reset(self) -> None:
        self.times_set, self.is_set = self.times_set + 1, True

    def cancel(self) -> None:
        self.is_set = False


class Bench:
    """A loop, its clock, and everything that it has sent."""

    def __init__(self, **settings: Any) -> None:
        self.now, self.sent, self.changes = 10.0, list[Order](), 0
        self.answers: list[float] = []
        self.policy = ScriptedPolicy()
        policy: Any = self.policy
        self.loop = ControlLoop(
            SPEC,
            policy,
            model_id=MODEL,
            z_dim=len(Z),
            settings=ControlSettings(**settings),
            send=self.sent.append,
            practise=lambda order: None,
            now=lambda: self.now,
            on_change=self._on_change,
            on_answer=self.answers.append,
        )
        self.loop.stops, self.loop.rehearsals = self.stops, self.rehearsals = (
            CountingAlarm(),
            CountingAlarm(),
        )

    def _on_change(self) -> None:
        self.changes += 1

    def start(self) -> None:
        self.loop.activate()
        self.loop.take_z(Z, MODEL, time.perf_counter())
        self.see()
        assert self.moves

    def see(self) -> None:
        self.now += DT
        reading = JointReading(position=np.zeros(1), velocity=np.zeros(1))
        observation = Observation(
            values=np.zeros(SPEC.obs_dim), reading=reading, label=str(self.now), stamp=self.now
        )
        self.loop.observe(observation, time.perf_counter())

    @property
    def moves(self) -> bool:
        return bool(self.sent) and bool(np.any(self.sent[-1].command))


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench(inference_timeout=0.02)
    yield bench
    bench.loop.close()


def test_every_observation_is_answered_under_its_own_name(bench: Bench) -> None:
    bench.start()
    for _ in range(3):
        bench.see()
        assert bench.sent[-1].label == str(bench.now)
    assert len(bench.answers) == 4


def test_a_policy_that_throws_leads_to_stops_that_are_repeated(bench: Bench) -> None:
    bench.start()
    bench.policy.error = RuntimeError("the device is gone")
    bench.see()
    assert not bench.moves
    assert "the device is gone" in bench.loop.controller.fault
    assert bench.stops.is_set
    before = len(bench.sent)
    while bench.stops.is_set:
        bench.loop.stop_again()
    assert len(bench.sent) - before == STOP_REPEATS - 1
    bench.policy.error = None
    bench.see()
    assert bench.moves


def test_a_policy_that_hangs_is_stopped_while_it_hangs(bench: Bench) -> None:
    bench.start()
    bench.policy.gate = threading.Event()
    stopped = threading.Event()
    send = bench.sent.append

    def watch(order: Order) -> None:
        send(order)
        if not np.any(order.command):
            stopped.set()

    bench.loop._send = watch
    thread = threading.Thread(target=bench.see)
    thread.start()
    assert stopped.wait(10.0)
    assert thread.is_alive()
    bench.policy.gate.set()
    thread.join()
    # Its answer came too late, and is not sent after the stop.
    assert not bench.moves


def test_a_halt_lasts_until_resume(bench: Bench) -> None:
    bench.start()
    bench.loop.halt("emergency stop")
    assert not bench.moves
    bench.see()
    assert not bench.moves
    assert bench.loop.resume() == ""
    bench.see()
    assert bench.moves


def test_the_end_is_several_stops_and_then_nothing(bench: Bench) -> None:
    bench.start()
    before = len(bench.sent)
    bench.loop.stand_still()
    assert len(bench.sent) - before == STOP_REPEATS
    assert not bench.moves
    bench.see()
    assert len(bench.sent) - before == STOP_REPEATS


def test_without_a_clock_nothing_moves(bench: Bench) -> None:
    bench.loop.activate()
    bench.loop.take_z(Z, MODEL, time.perf_counter())
    bench.now = -DT
    bench.see()
    assert not bench.moves
    assert "no /clock" in bench.loop.controller.fault


def test_a_z_that_nobody_repeats_stops_the_robot(bench: Bench) -> None:
    bench.start()
    for _ in range(round(1.0 / DT) + 1):
        bench.now += DT
        bench.loop.watch_z()
    assert not bench.moves
    assert "no z" in bench.loop.controller.fault or "no observation" in bench.loop.controller.fault


def test_a_step_is_rehearsed_only_where_there_is_time_for_it() -> None:
    assert rehearsal_lead(0.001) is None
    for ctrl_dt in (0.004, 0.04):
        lead = rehearsal_lead(ctrl_dt)
        assert lead is not None
        assert 0.0 < lead < 0.5 * ctrl_dt
