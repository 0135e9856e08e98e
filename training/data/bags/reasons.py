"""Why a bag yields no transition."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.data.bags.clock import Timed
from training.data.bags.sources import Selection


def why_nothing(
    runs: Sequence[Sequence[Timed]], selection: Selection, period: float, longest: float | None
) -> str:
    """The topics that are the reason, and how to go on."""
    run = max(runs, key=lambda one: sum(len(timed.times) for timed in one))
    state, action, _ = selection.split(run)
    reasons: list[str] = []
    for timed in (*state, *action):
        reason = _of_track(timed, timed in action, period, longest)
        if reason:
            reasons.append(f"{timed.track.topic} {reason}")
    spoken = [timed for timed in (*state, *action) if len(timed.times)]
    if not reasons and spoken:
        last = max(spoken, key=lambda one: float(one.times[0]))
        first = min(spoken, key=lambda one: float(one.times[-1]))
        if last.times[0] > first.times[-1]:
            reasons.append(
                f"{last.track.topic} begins {last.times[0] - first.times[-1]:.3g} s after "
                f"{first.track.topic} has ended"
            )
    if not reasons:
        reasons.append(f"no two rows follow one another at the control period of {period:g} s")
    return "; ".join(dict.fromkeys(reasons))


def _of_track(timed: Timed, command: bool, period: float, longest: float | None) -> str:
    if not len(timed.times):
        return "says nothing in the part of the bag in which most is said"
    steps = np.diff(timed.times)
    usual = float(np.median(steps)) if len(steps) else np.inf
    allowed = longest or 3.0 * period
    hold = "`longest_gap` in the mapping lets its newest message stand for as long as that"
    if not np.isfinite(usual):
        return "says only one thing"
    if usual > allowed:
        return f"is silent for {usual:.3g} s, longest_gap is {allowed:.3g} s; {hold}"
    if longest is None and usual > 1.5 * period:
        return f"speaks every {usual:.3g} s, a control period is {period:.3g} s; {hold}"
    if timed.check is not None and not command:
        by_stamp = float(np.nanmedian(np.diff(timed.check)))
        if abs(by_stamp - usual) > 0.5 * period:
            return (
                f"is stamped every {by_stamp:.3g} s and was received every {usual:.3g} s; `times` "
                "in the mapping says which of them is right"
            )
    if float(steps.max()) > allowed:
        return f"is silent for up to {steps.max():.3g} s, longest_gap is {allowed:.3g} s"
    return ""
