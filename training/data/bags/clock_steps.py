"""Short times around which a clock may have been set by less than a control period."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.data.bags.clock import Timed

# Share of a period by which a clock may be set unnoticed. Two such steps do not make up the half
# of a period within which a sample is taken for that of a row.
_UNNOTICED = 0.25
# Times a topic's period that tell of a silence.
_SILENCE = 10.0
# Times its usual deviation by which a topic's step has to deviate.
_ODD = 4.0


def doubtful_spans(tracks: Sequence[Timed], period: float) -> tuple[np.ndarray, np.ndarray]:
    """Beginnings and ends `(n,)` of the spans, in seconds, each in increasing order.

    The steps of a topic are multiples of its own period, give or take jitter. An odd step tells
    that the clock was set there, and a sample of another topic may lie on the wrong side of it by
    as much as that.
    """
    begins, ends = [np.zeros(0)], [np.zeros(0)]
    for one in tracks:
        steps = np.diff(one.times)
        if not np.any(steps > 0.0):
            continue
        usual = float(np.median(steps[steps > 0.0]))
        odd = np.abs(steps - usual * np.maximum(np.round(steps / usual), 1.0))
        least = max(_UNNOTICED * period, _ODD * float(np.median(odd)))
        # After a long silence a topic may begin at any instant.
        places = np.flatnonzero((odd > least) & (steps < _SILENCE * usual))
        margin = np.minimum(odd[places], period)
        begins.append(one.times[places] - margin)
        ends.append(one.times[places + 1] + margin)
    return np.sort(np.concatenate(begins)), np.sort(np.concatenate(ends))


def outside(times: np.ndarray, spans: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """Whether each interval between two of `times` touches none of the spans, `(n - 1,)`."""
    begun = np.searchsorted(spans[0], times[1:], side="right")
    ended = np.searchsorted(spans[1], times[:-1], side="left")
    return np.asarray(begun == ended)
