"""Episodes from a robot's own recording: rosbag2, sqlite3 or MCAP."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from training.data.bags.clock import Timed, choose_clock, compare_rates, on_clock
from training.data.bags.mapping import BagMapping
from training.data.bags.reading import BagContents, read_contents
from training.data.bags.reasons import why_nothing
from training.data.bags.rows import make_rows
from training.data.bags.runs import find_runs, without_repeats
from training.data.bags.separate_clocks import require_one_clock
from training.data.bags.sources import Selection, motion_of, require_sources, select
from training.data.bags.tracks import Track
from training.data.findings import Findings
from training.data.recording import Recording


def read_bag(
    path: Path, spec: RobotSpec, mapping: BagMapping, found: Findings
) -> Iterator[Recording]:
    """The stretches of a bag in which every source was heard, one row per control period.

    A row holds the samples closest to its instant. The action that led to a row is the command in
    force in the middle of the period before it. `found` gets what was left out and where the clock
    was set. Refuses a bag whose times or meaning are ambiguous.
    """
    require_sources(spec, mapping)
    contents = read_contents(path, mapping, mapping.frame or spec.frame, found)
    try:
        yield from recordings_of(path.name, contents, spec, mapping, found)
    except FbRosError as error:
        raise FbRosError(f"{path}: {error}") from error


def recordings_of(
    name: str, contents: BagContents, spec: RobotSpec, mapping: BagMapping, found: Findings
) -> Iterator[Recording]:
    """Episodes of contents that were read already."""
    selection = select(contents, spec, mapping, found)
    tracks = [without_repeats(track) for track in selection.tracks]
    clocked = [track for track in tracks if track.source != "terminal"]
    clock = choose_clock(clocked, mapping.times, found)
    if clock == "header":
        require_one_clock(clocked, spec.ctrl_dt)
    runs = [[_within(track, *borders) for track in tracks] for borders in find_runs(tracks, found)]
    compare_rates(runs, clock, mapping.times, spec.ctrl_dt, found)
    timed = [on_clock(run, clock, mapping.times, found) for run in runs]
    count = 0
    for number, run in enumerate(timed):
        label = f", run {number + 1}" if len(timed) > 1 else ""
        for recording in _of_run(f"{name}{label}", run, selection, spec, mapping):
            count += 1
            yield recording
    if not count:
        reason = why_nothing(timed, selection, spec.ctrl_dt, mapping.longest_gap)
        yield Recording(name=name, problem=f"it has not one transition: {reason}")


def _within(track: Track, first: int, end: int) -> Track:
    low, high = np.searchsorted(track.order, [first, end])
    return track.take(slice(int(low), int(high)))


def _of_run(
    name: str,
    run: Sequence[Timed],
    selection: Selection,
    spec: RobotSpec,
    mapping: BagMapping,
) -> Iterator[Recording]:
    state, action, terminal = selection.split(run)
    said = np.zeros(0)
    if terminal:
        said = np.sort(
            np.concatenate([one.times[one.track.values[:, 0] != 0.0] for one in terminal])
        )
    for rows in make_rows(state, action, spec.ctrl_dt, mapping.longest_gap):
        values, linked = selection.values(rows, state, action)
        for part, ended in _episodes(rows.times, linked, said, spec.ctrl_dt):
            yield _recording(name, part, rows.times, values, selection, spec, ended)


def _recording(
    name: str,
    part: slice,
    times: np.ndarray,
    values: dict[str, np.ndarray],
    selection: Selection,
    spec: RobotSpec,
    terminal: bool,
) -> Recording:
    begin, end = times[part][0], times[part][-1]
    count = part.stop - part.start
    action = spec.unclipped_action(values["action"][part])
    beyond = int(np.sum(np.any(np.abs(action[1:]) > 1.0 + 1e-6, axis=1)))
    note = f"{beyond} commands beyond the robot's limits were cut off" if beyond else ""
    action = np.clip(action, -1.0, 1.0)
    action[0] = 0.0
    own = {key: value[part] for key, value in values.items()}
    arrays = {
        "action": action,
        "reward": np.zeros((count, 1)),
        "discount": np.ones((count, 1)),
        **selection.observed(own, spec),
    }
    if terminal:
        arrays["discount"][-1] = 0.0
    return Recording(
        name=f"{name} from {begin:.2f} s to {end:.2f} s",
        arrays=arrays,
        note=note,
        cut_off=beyond,
        motion=motion_of(own, selection),
    )


def _episodes(
    times: np.ndarray, linked: np.ndarray, said: np.ndarray, period: float
) -> Iterator[tuple[slice, bool]]:
    """The rows of each episode, and whether a terminal state ends it.

    An episode is a run of rows each of which follows from the one before it; another begins after
    an announced end (`said`, seconds). An announcement just after the last row belongs to that
    row.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], linked, [False]]).astype(int)))
    for first_link, stop in edges.reshape(-1, 2):
        begin = int(first_link) - 1
        within = said[(said > times[begin]) & (said <= times[stop - 1] + period)]
        for last in sorted(set(np.minimum(np.searchsorted(times, within), stop - 1))):
            if last > begin:
                yield slice(begin, int(last) + 1), True
            begin = int(last) + 1
        if stop - begin > 1:
            yield slice(begin, int(stop)), False
