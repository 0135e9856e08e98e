"""Episodes out of a robot's own recording: rosbag2, sqlite3 or MCAP."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState
from training.data.bag_mapping import BagMapping
from training.data.bag_series import Series, read_series
from training.data.recording import Recording

SUFFIXES = (".mcap", ".db3")
# Periods without news after which nothing is known of the state any more, as in policy_node.
_STALE_PERIODS = 3.0


def is_bag(path: Path) -> bool:
    """Whether `path` is a bag: its folder, or a file of one."""
    if path.is_dir():
        return any(any(path.glob(f"*{suffix}")) for suffix in SUFFIXES)
    return path.suffix in SUFFIXES


def read_bag(path: Path, spec: RobotSpec, mapping: BagMapping) -> Iterator[Recording]:
    """The stretches of a bag in which everything was heard, a row each control period.

    A row holds what was said closest to its instant. The action that led to a row is the command
    that was in force in the middle of the period before it.
    """
    fields = () if "observation" in mapping.state else (*spec.observation, *spec.features)
    # The commands themselves say what the command before was.
    missing = {field.source for field in fields} - {*mapping.state, "last_command"}
    if missing:
        raise FbRosError(
            f"the mapping says nothing of {', '.join(sorted(missing))}, which robot {spec.name} "
            "is observed by"
        )
    _require_joints(spec, mapping)
    wanted = {**mapping.state, "action": mapping.action}
    if mapping.terminal:
        wanted["terminal"] = mapping.terminal
    series = read_series(path, wanted)
    _require_sizes(path, series, mapping)
    state = [series[name] for name in mapping.state]
    start = max(one.times[0] for one in state)
    stop = min(one.times[-1] for one in state)
    dt = spec.ctrl_dt
    times = np.arange(start, stop + 0.5 * dt, dt)
    longest = mapping.longest_gap or _STALE_PERIODS * dt
    rows, known = {}, np.ones(len(times), dtype=bool)
    for name, one in zip(mapping.state, state, strict=True):
        index = one.nearest(times)
        rows[name] = one.values[index]
        known &= one.believed(index, times, longest, 0.5 * dt)
    between = times - 0.5 * dt
    index = series["action"].held(between)
    rows["action"] = series["action"].values[index]
    # Whether a row follows from the one before it.
    linked = known & series["action"].believed(index, between, longest, dt)
    linked[1:] &= known[:-1]
    linked[:1] = False
    ends = series["terminal"] if mapping.terminal else None
    for part, terminal in _episodes(times, linked, ends):
        yield _recording(path, part, times, rows, series, spec, mapping, terminal)


def _require_joints(spec: RobotSpec, mapping: BagMapping) -> None:
    fields = (*spec.observation, *spec.features)
    joints = {joint for field in fields for joint in field.joints} | set(spec.action_joints)
    unknown = set(mapping.joints) - joints
    if unknown:
        raise FbRosError(
            f"the mapping's joints name {', '.join(sorted(map(str, unknown)))}; robot {spec.name} "
            f"has {', '.join(sorted(joints))}"
        )


def _require_sizes(path: Path, series: dict[str, Series], mapping: BagMapping) -> None:
    """Refuses numbers that cannot be the position, orientation or truth that they should be."""
    for name, entry in mapping.state.items():
        if name == "observation" or name.startswith("joint_"):
            continue
        found = series[name].values.shape[1]
        expected = 4 if name.endswith("_orientation") else 3
        if found != expected:
            raise FbRosError(
                f"{path}: {entry.topic}: {entry.field} holds {found} numbers, {name} has "
                f"{expected}"
            )
    if mapping.terminal:
        values = series["terminal"].values
        where = f"{path}: {mapping.terminal.topic}: {mapping.terminal.field}"
        if values.shape[1] != 1:
            raise FbRosError(
                f"{where} holds {values.shape[1]} numbers, terminal has one: true or false"
            )
        wrong = values[(values != 0.0) & (values != 1.0)]
        if len(wrong):
            raise FbRosError(f"{where} holds {wrong[0]:g}, terminal is true or false")


def _recording(
    path: Path,
    part: slice,
    times: np.ndarray,
    rows: dict[str, np.ndarray],
    series: dict[str, Series],
    spec: RobotSpec,
    mapping: BagMapping,
    terminal: bool,
) -> Recording:
    begin, end = times[part][0] - times[0], times[part][-1] - times[0]
    name = f"{path.name} from {begin:.2f} s to {end:.2f} s"
    count = part.stop - part.start
    low, high = np.asarray(spec.action_low), np.asarray(spec.action_high)
    command = rows["action"][part]
    if command.shape[1] != spec.act_dim:
        return Recording(
            name=name,
            problem=f"its commands have {command.shape[1]} components, robot {spec.name} takes "
            f"{spec.act_dim}",
        )
    action = 2.0 * (command - low) / (high - low) - 1.0
    beyond = int(np.sum(np.any(np.abs(action[1:]) > 1.0 + 1e-6, axis=1)))
    note = f"{beyond} commands beyond the robot's limits were cut off" if beyond else ""
    action = np.clip(action, -1.0, 1.0)
    action[0] = 0.0
    arrays = {
        "action": action,
        "reward": np.zeros((count, 1)),
        "discount": np.ones((count, 1)),
    }
    if terminal:
        arrays["discount"][-1] = 0.0
    if "observation" in mapping.state:
        arrays["observation"] = rows["observation"][part]
    else:
        state = dataclasses.replace(
            _state(part, rows, series, mapping), last_command=np.clip(command, low, high)
        )
        arrays["observation"] = assemble(spec.observation, state)
        arrays["features"] = assemble(spec.features, state)
    return Recording(name=name, arrays=arrays, note=note)


def _state(
    part: slice, rows: dict[str, np.ndarray], series: dict[str, Series], mapping: BagMapping
) -> RobotState:
    own_name = {theirs: ours for ours, theirs in mapping.joints.items()}
    values = {name: rows[name][part] for name in mapping.state}
    told = {
        name: [own_name.get(joint, joint) for joint in series[name].names]
        for name in ("joint_position", "joint_velocity")
        if name in values
    }
    first = next(iter(told.values()), [])
    joint_names = tuple(joint for joint in first if all(joint in names for names in told.values()))
    for name, names in told.items():
        values[name] = values[name][:, [names.index(joint) for joint in joint_names]]
    count = part.stop - part.start
    nothing = np.full((count, len(joint_names)), np.nan)
    joints = {"joint_position": nothing, "joint_velocity": nothing}
    return RobotState(joint_names=joint_names, **{**joints, **values})


def _episodes(
    times: np.ndarray, linked: np.ndarray, ends: Series | None
) -> Iterator[tuple[slice, bool]]:
    """The rows of each episode, and whether a terminal state ends it.

    An episode is a run of rows, each following from the one before it; one that was
    announced to have ended is followed by the next.
    """
    said = np.zeros(0) if ends is None else ends.times[np.any(ends.values != 0.0, axis=1)]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], linked, [False]]).astype(int)))
    for first_link, stop in edges.reshape(-1, 2):
        begin = int(first_link) - 1
        within = said[(said > times[begin]) & (said <= times[stop - 1])]
        for last in sorted(set(np.searchsorted(times, within))):
            if last > begin:
                yield slice(begin, int(last) + 1), True
            begin = int(last) + 1
        if stop - begin > 1:
            yield slice(begin, int(stop)), False
