"""The tracks of a bag that make up a robot's state and its commands."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.field import assemble
from fb_ros.robot.joint_renaming import joint_renaming
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState
from training.data.bags.clock import Timed
from training.data.bags.mapping import BagMapping
from training.data.bags.reading import BagContents
from training.data.bags.rows import Rows
from training.data.bags.tracks import Track
from training.data.bags.transforms import Chain
from training.data.findings import Findings

WHOLE = "observation"


def require_sources(spec: RobotSpec, mapping: BagMapping) -> None:
    """Refuses a mapping that leaves out an observed source, or names joints wrongly."""
    fields = (*spec.observation, *spec.features)
    # The previous command comes from the commands themselves.
    missing = {field.source for field in fields} - {*mapping.sources, "last_command"}
    if missing and WHOLE not in mapping.state:
        raise FbRosError(
            f"the mapping says nothing of {', '.join(sorted(missing))}, which robot {spec.name} "
            "is observed by"
        )
    joint_renaming(mapping.joints, spec, "the mapping's joints")


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Column:
    """The place of one number of a source: the track's index in its group, and its column."""

    track: int
    column: int


@dataclasses.dataclass(frozen=True, kw_only=True)
class Selection:
    """The selected tracks, and how they make up the state."""

    state: tuple[Track, ...]
    action: tuple[Track, ...]
    terminal: tuple[Track, ...]
    columns: Mapping[str, tuple[_Column, ...]]
    """The places of the numbers of each source, and of `action`."""
    joints: Mapping[str, tuple[str, ...]]
    """The robot's names for the numbers of `joint_position` and of `joint_velocity`."""
    chains: Mapping[str, Chain]
    """Transform chains by frame."""
    mapping: BagMapping

    @property
    def tracks(self) -> list[Track]:
        """All tracks: of the state, of the action and of the end."""
        return [*self.state, *self.action, *self.terminal]

    def split(self, run: Sequence[Timed]) -> tuple[Sequence[Timed], ...]:
        """Splits the timed `tracks` into state, action and end."""
        first, second = len(self.state), len(self.state) + len(self.action)
        return run[:first], run[first:second], run[second:]

    def values(
        self, rows: Rows, state: Sequence[Timed], action: Sequence[Timed]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The numbers of each source `(n, k)`, and which rows follow from the one before."""
        taken = [one.track.values[index] for one, index in zip(state, rows.state, strict=True)]
        held = [one.track.values[index] for one, index in zip(action, rows.action, strict=True)]
        values = {}
        for source, columns in self.columns.items():
            group = held if source == "action" else taken
            values[source] = np.stack([group[one.track][:, one.column] for one in columns], axis=1)
        links = {id(one): part for one, part in zip(self.state, taken, strict=True)}
        for source, frame in self.mapping.transforms.items():
            pose = self.chains[frame].pose(links, len(rows.times))
            values[source] = pose[source.endswith("_orientation")]
        linked = rows.linked
        for source, other in self.mapping.derived.items():
            first = self.columns[other][0].track
            instants = state[first].times[rows.state[first]]
            with np.errstate(divide="ignore", invalid="ignore"):
                rate = np.diff(values[other], axis=0) / np.diff(instants)[:, None]
            values[source] = np.concatenate([np.zeros_like(values[other][:1]), rate])
            # A row whose velocity would span a gap does not count.
            linked = linked & np.concatenate([[False], linked[:-1]])
        return values, linked

    def observed(self, values: Mapping[str, np.ndarray], spec: RobotSpec) -> dict[str, np.ndarray]:
        """Observation, and features if they can be computed, for rows of `values`."""
        if WHOLE in values:
            return {"observation": values[WHOLE]}
        count = len(values["action"])
        names = self.joints.get("joint_position") or self.joints.get("joint_velocity") or ()
        state: dict[str, np.ndarray] = {
            "joint_position": np.full((count, len(names)), np.nan),
            "joint_velocity": np.full((count, len(names)), np.nan),
            **{name: value for name, value in values.items() if name != "action"},
        }
        command = np.clip(values["action"], spec.action_low, spec.action_high)
        robot = RobotState(joint_names=names, last_command=command, **state)
        return {
            "observation": assemble(spec.observation, robot),
            "features": assemble(spec.features, robot),
        }


def motion_of(
    values: Mapping[str, np.ndarray], selection: Selection
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Position and velocity `(n,)` of each joint for which both were measured."""
    names = selection.joints.get("joint_position", ())
    if "joint_velocity" in selection.mapping.derived or "joint_velocity" not in selection.joints:
        return {}
    pair = values["joint_position"], values["joint_velocity"]
    return {name: (pair[0][:, i], pair[1][:, i]) for i, name in enumerate(names)}


def select(
    contents: BagContents, spec: RobotSpec, mapping: BagMapping, found: Findings
) -> Selection:
    """Chooses the tracks; refuses if a joint is missing, or the count of numbers is wrong."""
    groups: dict[str, list[Track]] = {"state": [], "action": [], "terminal": []}
    columns: dict[str, tuple[_Column, ...]] = {}
    joints: dict[str, tuple[str, ...]] = {}
    fields = (*spec.observation, *spec.features)
    observed = tuple(
        dict.fromkeys(
            joint for field in fields if field.source.startswith("joint") for joint in field.joints
        )
    )
    sources = (*mapping.state, "action", *(("terminal",) if mapping.terminal else ()))
    for source in sources:
        tracks = contents.tracks[source]
        group = groups[source if source in groups else "state"]
        if source == "terminal" and not tracks:
            continue
        if source in ("joint_position", "joint_velocity"):
            joints[source] = observed
            places = _by_name(source, observed, tracks, mapping)
        elif source == "action" and mapping.action.names:
            places = _by_name(source, spec.action_joints, tracks, mapping)
        else:
            places = _by_width(source, tracks, spec, mapping)
        used = list(dict.fromkeys(number for number, _ in places))
        _report_others(source, tracks, used, found)
        columns[source] = tuple(
            _Column(track=len(group) + used.index(number), column=column)
            for number, column in places
        )
        group += [tracks[number] for number in used]
    moving = [link for chain in contents.chains.values() for link in chain.moving]
    groups["state"] += list({id(link): link for link in moving}.values())
    columns.pop("terminal", None)
    for derived, other in mapping.derived.items():
        joints[derived] = joints[other]
    return Selection(
        state=tuple(groups["state"]),
        action=tuple(groups["action"]),
        terminal=tuple(groups["terminal"]),
        columns=columns,
        joints=joints,
        chains=contents.chains,
        mapping=mapping,
    )


def _by_name(
    source: str, joints: Sequence[str], tracks: Sequence[Track], mapping: BagMapping
) -> list[tuple[int, int]]:
    """Track and column of each joint: among the tracks that have it, the one with most samples."""
    places = []
    for joint in joints:
        name = mapping.joints.get(joint, joint)
        having = [number for number, track in enumerate(tracks) if name in track.names]
        if not having:
            there = sorted({name for track in tracks for name in track.names})
            entry = mapping.action if source == "action" else mapping.state[source]
            raise FbRosError(
                f"{' and '.join(entry.topics)}: {source} lacks {name}; it has "
                f"{', '.join(there) or 'nothing'}"
            )
        number = max(having, key=lambda one: len(tracks[one]))
        places.append((number, tracks[number].names.index(name)))
    return places


def _by_width(
    source: str, tracks: Sequence[Track], spec: RobotSpec, mapping: BagMapping
) -> list[tuple[int, int]]:
    """Track and column of numbers without names, in their own order."""
    entry = {**mapping.state, "action": mapping.action, "terminal": mapping.terminal}[source]
    assert entry is not None
    expected = 4 if source.endswith("_orientation") else 3
    expected = {"action": spec.act_dim, "terminal": 1, WHOLE: spec.obs_dim}.get(source, expected)
    for number, track in enumerate(tracks):
        if source == "terminal":
            wrong = track.values[(track.values != 0.0) & (track.values != 1.0)]
            if len(wrong) and track.values.shape[1] == 1:
                raise FbRosError(
                    f"{' and '.join(entry.topics)}: {entry.field} holds {wrong[0]:g}, terminal is "
                    "true or false"
                )
        if track.values.shape[1] == expected:
            return [(number, column) for column in range(expected)]
    where = f"{' and '.join(entry.topics)}: {entry.field}"
    width = tracks[0].values.shape[1]
    if source == "action":
        raise FbRosError(
            f"{where}: its commands have {width} components, robot {spec.name} takes {expected}"
        )
    promise = "one: true or false" if source == "terminal" else str(expected)
    raise FbRosError(f"{where} holds {width} numbers, {source} has {promise}")


def _report_others(
    source: str, tracks: Sequence[Track], used: Sequence[int], found: Findings
) -> None:
    for number, track in enumerate(tracks):
        if number in used:
            continue
        what = (
            f"of {', '.join(track.names)}"
            if track.names
            else f"of {track.values.shape[1]} numbers"
        )
        found.add(
            "left_out",
            f"{track.topic}: {len(track)} messages {what} alone left out of {source}; more have "
            "the others, too",
            topic=track.topic,
            count=len(track),
        )
