"""The controller's decisions, one fault after another, without a robot and without waiting."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from fb_ros.control.control_settings import ControlSettings
from fb_ros.control.controller import Controller
from fb_ros.control.joint_reading import JointReading
from fb_ros.control.standing import STOP_REPEATS
from fb_ros.control.step import Observation, Order, Step
from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import ActionInterface
from test.fb_ros.robot.test_robot_spec import SPEC

ROBOT = dataclasses.replace(SPEC, joint_low=(-1.0,), joint_high=(1.0,))
DT = ROBOT.ctrl_dt
Z = np.ones(4, dtype=np.float32)
MODEL = "a" * 64
# Later than the time-out of three periods.
LATE = 4.0 * DT


class Bench:
    """A controller, its clock, and everything that it has sent."""

    def __init__(self, interface: ActionInterface = "velocity", **settings: Any) -> None:
        robot = dataclasses.replace(ROBOT, action_interface=interface)
        self.controller = Controller(
            robot, model_id=MODEL, z_dim=len(Z), settings=ControlSettings(**settings)
        )
        self.now = 10.0
        self.sent: list[Order] = []
        self.position = 0.2

    def act(self, due: Step | Order | None, command: float = 0.5) -> Order | None:
        """Answers as a policy that always says `command`."""
        if isinstance(due, Step):
            due = self.controller.complete(due, np.array([command]), self.now)
        if due is not None:
            self.sent.append(due)
        return due

    def see(self, value: float = 0.0, *, age: float = 0.0, label: str = "") -> Order | None:
        stamp = self.now - age
        observation = Observation(
            values=np.array([value]),
            reading=JointReading(position=np.array([self.position]), velocity=np.zeros(1)),
            label=label or str(stamp),
            stamp=stamp,
        )
        return self.act(self.controller.observe(observation, self.now))

    def due(self) -> Step:
        """The step of the next period, which nobody has answered yet."""
        self.now += DT
        observation = Observation(
            values=np.zeros(1),
            reading=JointReading(position=np.zeros(1), velocity=np.zeros(1)),
            stamp=self.now,
        )
        step = self.controller.observe(observation, self.now)
        assert isinstance(step, Step)
        return step

    def tick(self) -> Order | None:
        self.now += DT
        return self.see()

    def repeat(self) -> list[Order]:
        """What the timers send until they are silent."""
        orders = []
        for _ in range(10 * STOP_REPEATS):
            order = self.act(self.controller.stop_again())
            if order is not None:
                orders.append(order)
        return orders

    @property
    def stands(self) -> bool:
        return bool(np.all(self.sent[-1].command == 0.0))


@pytest.fixture
def bench() -> Bench:
    return moving()


def moving(interface: ActionInterface = "velocity", **settings: Any) -> Bench:
    bench = Bench(interface, **settings)
    bench.controller.activate()
    bench.see()
    bench.act(bench.controller.take_z(Z, MODEL))
    for _ in range(5):
        bench.tick()
    assert bench.controller.moving
    assert not bench.stands
    return bench


def test_every_observation_gets_one_answer_with_its_name(bench: Bench) -> None:
    before = len(bench.sent)
    for _ in range(10):
        order = bench.tick()
        assert order is not None
        assert order.label == str(bench.now)
    assert len(bench.sent) == before + 10
    assert bench.controller.counts["deadline_misses"] == 0


def test_before_a_z_nothing_is_sent() -> None:
    bench = Bench()
    bench.controller.activate()
    assert bench.see() is None
    assert bench.tick() is None
    # The first z answers the observation that waits for it.
    assert bench.act(bench.controller.take_z(Z, MODEL)) is not None


def test_an_observation_that_repeats_gets_the_same_answer(bench: Bench) -> None:
    order = bench.tick()
    assert bench.controller.take_z(2.0 * Z, MODEL) is None
    assert bench.see() is order


def faults(bench: Bench) -> dict[str, Callable[[], Any]]:
    """Everything that stops a robot until it is over, as a call."""
    core = bench.controller

    def stale() -> Order | None:
        bench.now += LATE
        return core.watch(bench.now)

    def delayed() -> Order | None:
        bench.now += 2.0 * LATE
        return bench.see(age=LATE)

    return {
        "stale": stale,
        "delayed": delayed,
        "nan": lambda: bench.see(np.nan, label="x"),
        "refused": lambda: core.refuse_observation("it is wrong"),
        "foreign z": lambda: core.take_z(Z, "b" * 64),
        "short z": lambda: core.take_z(Z[:2], MODEL),
        "infinite z": lambda: core.take_z(np.inf * Z, MODEL),
        "stale z": lambda: core.miss_z(1.1),
        "late": lambda: core.late(bench.due(), 0.1),
        "failed": lambda: core.fail(bench.due(), "it broke"),
    }


FAULTS = (
    "stale",
    "delayed",
    "nan",
    "refused",
    "foreign z",
    "short z",
    "infinite z",
    "stale z",
    "late",
    "failed",
)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_stops_the_robot_several_times_and_then_there_is_silence(
    bench: Bench, fault: str
) -> None:
    assert set(faults(bench)) == set(FAULTS)
    bench.act(faults(bench)[fault]())
    assert bench.stands
    assert bench.controller.fault
    again = bench.repeat()
    assert len(again) == STOP_REPEATS - 1
    assert all(np.all(order.command == 0.0) for order in again)
    assert bench.controller.stop_again() is None
    assert bench.controller.counts["stops"] == 1


@pytest.mark.parametrize("fault", FAULTS)
def test_when_it_is_over_the_robot_moves_again(bench: Bench, fault: str) -> None:
    bench.act(faults(bench)[fault]())
    # A z alone does not start it: what it would answer may be long ago.
    bench.now += 0.1 * DT
    assert not isinstance(bench.controller.take_z(Z, MODEL), Step)
    assert bench.stands
    assert bench.tick() is not None
    assert not bench.stands
    assert not bench.controller.fault
    # A second fault is told as often as the first.
    bench.act(faults(bench)[fault]())
    assert bench.stands
    assert len(bench.repeat()) == STOP_REPEATS - 1


@pytest.mark.parametrize("why", ["estop", "nan", "limits"])
def test_a_halt_lasts_until_resume(bench: Bench, why: str) -> None:
    core = bench.controller
    if why == "estop":
        bench.act(core.halt("emergency stop"))
    elif why == "nan":
        step = bench.due()
        bench.act(core.complete(step, np.array([np.nan]), bench.now))
    else:
        bench.position = 1.2
        while not core.halted:
            bench.tick()
            assert bench.now < 12.0
        assert "rail beyond the limits for 1 s" in core.halted
        bench.position = 0.2
    assert bench.stands
    for _ in range(20):
        assert bench.tick() is None
    bench.act(core.take_z(Z, MODEL))
    assert bench.stands
    assert core.resume(bench.now) == ""
    assert bench.tick() is not None
    assert not bench.stands


def test_resume_wants_a_fresh_observation_and_a_z(bench: Bench) -> None:
    core = bench.controller
    bench.act(core.halt("emergency stop"))
    bench.now += LATE
    bench.act(core.watch(bench.now))
    assert "no fresh observation" in core.resume(bench.now)
    bench.see()
    bench.act(core.take_z(np.nan * Z, MODEL))
    assert "no z" in core.resume(bench.now)
    bench.act(core.take_z(Z, MODEL))
    assert core.resume(bench.now) == ""


def test_it_starts_from_standing_without_a_jump() -> None:
    robot = dataclasses.replace(ROBOT, acceleration_limit=(1.0,))
    core = Controller(robot, model_id=MODEL, z_dim=len(Z), settings=ControlSettings())
    bench = Bench()
    bench.controller = core
    core.activate()
    bench.act(core.take_z(Z, MODEL))
    for _ in range(20):
        bench.tick()
    assert bench.sent[-1].command == pytest.approx([0.5])
    bench.act(core.halt("emergency stop"))
    bench.tick()
    assert core.resume(bench.now) == ""
    bench.tick()
    assert bench.sent[-1].command == pytest.approx([DT * 1.0])
    assert core.interventions["acceleration"] > 0


def test_a_late_answer_is_not_sent_any_more(bench: Bench) -> None:
    core = bench.controller
    due = bench.due()
    bench.act(core.late(due, DT))
    assert core.complete(due, np.array([0.5]), bench.now) is None
    assert core.fail(due, "too late, too") is None
    assert bench.stands


def test_a_policy_that_fails_again_and_again_halts_the_robot(bench: Bench) -> None:
    core = bench.controller
    for _ in range(5):
        assert not core.halted
        bench.act(core.fail(bench.due(), "it broke"))
    assert "5 times in a row" in core.halted


def test_a_paused_clock_is_not_a_stale_sensor(bench: Bench) -> None:
    for _ in range(1000):
        assert bench.controller.watch(bench.now) is None
    assert bench.controller.moving


def test_a_clock_that_goes_backwards_starts_anew(bench: Bench) -> None:
    bench.now = 0.0
    assert bench.tick() is not None
    assert not bench.stands
    assert bench.controller.counts["clock_jumps"] == 1
    assert bench.controller.counts["reordered_observations"] == 0


def test_a_clock_that_jumps_ahead_stops_until_the_next_observation(bench: Bench) -> None:
    bench.now += 1000.0
    bench.act(bench.controller.watch(bench.now))
    assert bench.stands
    assert bench.tick() is not None
    assert not bench.stands


def test_an_older_observation_is_passed_over(bench: Bench) -> None:
    before = len(bench.sent)
    assert bench.see(age=0.5 * DT) is None
    assert len(bench.sent) == before
    assert bench.controller.counts["reordered_observations"] == 1


def test_after_a_fault_an_observation_from_before_is_not_acted_on(bench: Bench) -> None:
    bench.now += DT
    bench.see(label="before")
    bench.act(bench.controller.refuse_observation("it is wrong"))
    assert bench.stands
    # Its duplicate is old, and says so by its stamp when it comes too late.
    bench.now += LATE
    assert bench.see(age=LATE, label="before") is None or bench.stands
    assert bench.controller.fault


def test_it_takes_over_a_robot_by_telling_it_to_stand() -> None:
    bench = Bench()
    bench.controller.activate()
    told = bench.repeat()
    assert len(told) == STOP_REPEATS
    assert all(np.all(order.command == 0.0) and order.label for order in told)
    assert bench.see() is None
    bench.act(bench.controller.take_z(Z, MODEL))
    assert not bench.stands


def test_a_gap_before_the_first_z_is_forgotten_when_sensors_are_back() -> None:
    bench = Bench()
    bench.controller.activate()
    bench.see()
    bench.now += LATE
    bench.act(bench.controller.watch(bench.now))
    assert "no observation" in bench.controller.fault
    bench.tick()
    # Until all stops are sent, nothing may end them.
    assert bench.controller.fault
    bench.repeat()
    bench.tick()
    assert not bench.controller.fault
    assert bench.act(bench.controller.take_z(Z, MODEL)) is not None
    assert bench.controller.moving


def test_a_z_that_is_lost_stays_a_fault_though_sensors_arrive() -> None:
    bench = moving(z_timeout=1.0)
    bench.act(bench.controller.miss_z(2.0))
    bench.repeat()
    bench.tick()
    assert "z" in bench.controller.fault


def test_an_emergency_stop_is_sent_though_nothing_was_moved() -> None:
    bench = Bench()
    bench.controller.activate()
    bench.repeat()
    bench.act(bench.controller.halt("emergency stop"))
    assert bench.stands
    assert len(bench.repeat()) == STOP_REPEATS - 1


def test_a_clock_that_goes_back_with_silent_sensors_stops_the_robot(bench: Bench) -> None:
    bench.now -= 5.0
    bench.act(bench.controller.watch(bench.now))
    assert bench.stands
    assert "the clock went back" in bench.controller.fault
    assert bench.tick() is not None
    assert not bench.stands


def test_a_stamp_of_the_future_is_not_believed(bench: Bench) -> None:
    bench.now += DT
    bench.see(age=-3600.0)
    assert bench.stands
    # Nor does it make what comes after it look old.
    assert bench.tick() is not None
    assert not bench.stands


def test_a_frozen_sensor_is_stale_whatever_its_clock() -> None:
    bench = moving(check_stamps=False)
    stamp = bench.now
    orders = []
    for _ in range(100):
        bench.now += DT
        bench.see(age=bench.now - stamp, label="frozen")
        bench.act(bench.controller.watch(bench.now))
        orders.append(bench.stands)
    assert all(orders[5:])
    # Started anew, with a clock that begins at zero, it is believed from its second message on.
    for second in (0.04, 0.08, 0.12):
        bench.now += DT
        bench.see(age=bench.now - second)
    assert not bench.stands


def test_a_joint_beyond_its_limit_is_not_forgotten_over_other_faults(bench: Bench) -> None:
    bench.position = 1.2
    for i in range(200):
        bench.tick()
        if i % 5 == 0:
            bench.act(bench.controller.refuse_observation("it is wrong"))
        if bench.controller.halted:
            break
    assert "beyond the limits" in bench.controller.halted


def test_a_z_that_comes_late_does_not_mix_the_clocks() -> None:
    bench = Bench(check_stamps=False)
    bench.controller.activate()
    bench.see(age=bench.now - 0.04)
    bench.act(bench.controller.take_z(Z, MODEL))
    for stamp in (0.08, 0.12, 0.16):
        bench.now += DT
        assert bench.see(age=bench.now - stamp) is not None
    assert bench.controller.counts["deadline_misses"] == 0


def test_stamps_of_another_clock_can_be_taken() -> None:
    bench = moving(check_stamps=False)
    bench.now += DT
    assert bench.see(age=-1e9) is not None
    bench.now += DT
    assert bench.see(age=-1e9) is not None
    assert not bench.stands


def test_a_sensor_that_repeats_its_stamp_becomes_stale(bench: Bench) -> None:
    stamp = bench.now
    stopped = False
    while bench.now < stamp + 2.0 * LATE:
        bench.now += DT
        bench.see(age=bench.now - stamp)
        bench.act(bench.controller.watch(bench.now))
        stopped = stopped or bench.stands
        assert stopped or bench.now < stamp + LATE
    assert bench.stands


def test_a_z_is_missed_after_its_timeout_alone(bench: Bench) -> None:
    assert bench.controller.miss_z(0.9) is None
    assert bench.controller.moving
    patient = moving(z_timeout=0.0)
    assert patient.controller.miss_z(1e9) is None
    assert patient.controller.moving


def test_guards_that_step_in_for_too_long_halt_the_robot() -> None:
    bench = moving(intervention_timeout=0.5)
    bench.position = 0.999
    while not bench.controller.halted:
        bench.tick()
        assert bench.now < 12.0
    assert "the guards (position) have changed every command for 0.5 s" in bench.controller.halted


def test_deactivated_it_stops_and_is_silent(bench: Bench) -> None:
    core = bench.controller
    bench.act(core.deactivate())
    assert bench.stands
    assert len(bench.repeat()) == STOP_REPEATS - 1
    assert bench.tick() is None
    bench.now += LATE
    assert core.watch(bench.now) is None
    assert "not active" in core.resume(bench.now)
    core.activate()
    assert bench.tick() is not None


def test_position_control_holds_what_is_measured() -> None:
    bench = moving("position")
    bench.act(bench.controller.halt("emergency stop"))
    assert bench.sent[-1].command.tolist() == [0.2]


def test_it_says_what_it_misses() -> None:
    bench = moving()
    bench.now += 2.0 * DT
    bench.tick()
    assert bench.controller.counts["deadline_misses"] == 2


@pytest.mark.parametrize("value", [-1.0, np.nan, np.inf, 1e9])
def test_settings_out_of_range_are_refused(value: float) -> None:
    with pytest.raises(FbRosError, match="expected 0 to 3600 seconds"):
        ControlSettings(smoothing=value)
