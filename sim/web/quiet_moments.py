"""When the page works: in the part of a robot's period in which its controller does nothing.

A state that has just come is also the moment at which a controller computes its command. On few
cores, drawing at that moment would delay the command.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

# A controller answers a state within this time; where its period leaves more, it gets this share.
_ANSWER_SECONDS, _ANSWER_SHARE = 0.0015, 0.1
# Without a state, a job waits at most this much longer than its own interval.
_PATIENCE_SECONDS = 0.1


@dataclasses.dataclass
class _Job:
    every: float
    work: Callable[[], None]
    done: float


class QuietMoments:
    """Jobs that are done again and again, each at most once in its interval."""

    def __init__(
        self,
        period: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`period` is the time between two states, s."""
        self._period, self._clock, self._sleep = period, clock, sleep
        self._jobs: list[_Job] = []

    def add(self, every: float, work: Callable[[], None]) -> None:
        """Adds a job, to be done once in `every` seconds."""
        self._jobs.append(_Job(every, work, self._clock()))

    def state_came(self) -> None:
        """Call it when a state has come: does what is due after the controller has answered, at
        least one job, and as many as fit into half a period."""
        came = self._clock()
        due = self._due(came, 0.0)
        if not due:
            return
        self._sleep(max(_ANSWER_SECONDS, _ANSWER_SHARE * self._period))
        for job in due:
            self._do(job)
            if self._clock() - came > 0.5 * self._period:
                return

    def look_after(self) -> None:
        """Call it from time to time: does what is overdue since no state has come."""
        for job in self._due(self._clock(), _PATIENCE_SECONDS):
            self._do(job)

    def _due(self, now: float, late: float) -> list[_Job]:
        """The jobs that are due for longer than `late` seconds; the most overdue comes first."""
        waits = [((now - job.done - late) / job.every, job) for job in self._jobs]
        waits.sort(key=lambda wait: -wait[0])
        return [job for share, job in waits if share >= 1.0]

    def _do(self, job: _Job) -> None:
        job.done = self._clock()
        job.work()
