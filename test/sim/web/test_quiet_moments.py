"""The page works after the robot's controller has answered."""

from __future__ import annotations

import pytest

from sim.web.quiet_moments import QuietMoments


class Day:
    """A clock that only sleeping and working move."""

    def __init__(self) -> None:
        self.now = 100.0
        self.done: list[tuple[str, float]] = []

    def pass_time(self, seconds: float) -> None:
        self.now += seconds

    def quiet(self, period: float, *jobs: tuple[str, float, float]) -> QuietMoments:
        """Jobs by their names, intervals and lengths, s."""
        quiet = QuietMoments(period, lambda: self.now, self.pass_time)
        for name, every, takes in jobs:

            def work(name: str = name, takes: float = takes) -> None:
                self.done.append((name, self.now))
                self.now += takes

            quiet.add(every, work)
        return quiet


@pytest.mark.parametrize("period", [0.004, 0.04])
def test_jobs_keep_their_rates_and_wait_for_the_answer(period: float) -> None:
    day = Day()
    quiet = day.quiet(period, ("draw", 1 / 30, 0.001), ("look", 0.2, 0.002), ("plot", 0.5, 0.003))
    came = []
    for step in range(round(10.0 / period)):
        day.now = 100.0 + step * period
        came.append(day.now)
        quiet.state_came()
        assert day.now - came[-1] < max(0.006, 0.5 * period + 0.003)
    counts = {name: sum(name == done for done, _ in day.done) for name in ("draw", "look", "plot")}
    assert 200 <= counts["draw"] <= 301
    assert 38 <= counts["look"] <= 50
    assert 15 <= counts["plot"] <= 20
    starts = [max(state for state in came if state <= when) for _, when in day.done]
    waits = max(0.0014, 0.09 * period)
    assert all(when - start > waits for (_, when), start in zip(day.done, starts, strict=True))


def test_what_is_not_due_costs_a_state_nothing() -> None:
    day = Day()
    quiet = day.quiet(0.004, ("draw", 0.1, 0.001))
    day.now += 0.05
    quiet.state_came()
    assert day.now == 100.05
    assert day.done == []


def test_a_silent_robot_is_looked_after() -> None:
    day = Day()
    quiet = day.quiet(0.04, ("draw", 0.04, 0.001), ("plot", 0.5, 0.001))
    quiet.look_after()
    assert day.done == []
    day.now += 0.2
    quiet.look_after()
    assert [name for name, _ in day.done] == ["draw"]
    day.now += 1.0
    quiet.look_after()
    assert sorted(name for name, _ in day.done[1:]) == ["draw", "plot"]
