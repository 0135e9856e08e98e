"""`fb_ros data inspect`: shows what data hold, and what is wrong with them, file by file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import tyro

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field, layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from sim.progress import progress_bar
from sim.robots.registry import make_environment, require_robot
from training.data.bags.mapping import read_mapping
from training.data.column_range import ColumnRange
from training.data.complete_episode import EpisodeCompleter
from training.data.data_source import check, format_of, read_recordings
from training.data.episode import episode_paths
from training.data.episode_doubts import Doubts
from training.data.findings import Findings
from training.data.fingerprint import METADATA
from training.data.record import read_record
from training.data.recording import Arrays

BAD = "bad"
# Number of problems that are shown to a person; --json has them all.
_SHOWN = 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class InspectDataConfig(CommandConfig):
    """Show what data hold and what is wrong with them; fails if `convert` would refuse them."""

    data: Annotated[Path, tyro.conf.Positional]
    """A folder of episodes, an HDF5 file (D4RL's or Minari's) or a bag."""
    robot: str = ""
    """Robot to check them against; none: the one that the folder was made for, or no robot."""
    mapping: Path | None = None
    """YAML file that maps a bag's topics to the robot's state (docs/data.md)."""
    trust: bool = False
    """Do not fail because of doubts, as `convert --trust` does not."""
    set_aside: bool = False
    """Move the files that cannot be trained on into `bad/` within their folder."""

    def __post_init__(self) -> None:
        if self.robot:
            require_robot(self.robot)


def inspect_data(config: InspectDataConfig) -> Result:
    """Returns the figures; `ok` is false if something cannot be trained on, or is doubtful."""
    layout = format_of(config.data)
    spec = _robot_of(config, layout)
    mapping = read_mapping(config.mapping) if config.mapping else None
    completer = EpisodeCompleter(spec) if spec else None
    steps: list[int] = []
    terminals, foreign = 0, 0
    problems: list[dict[str, str]] = []
    notes: list[str] = []
    widths: dict[str, dict[int, list[str]]] = {}
    ranges: dict[str, ColumnRange] = {}
    total = len(episode_paths(config.data)) if layout == "episodes" else None
    found = Findings()
    doubts = Doubts(spec, make_environment(spec.name)) if spec else None
    recordings = progress_bar(
        read_recordings(config.data, spec, mapping, found),
        title=f"inspect {config.data}",
        unit="episode",
        total=total,
    )
    for recording in recordings:
        episode, wrong = check(recording, spec, completer)
        problems += [{"episode": recording.name, "problem": problem} for problem in wrong]
        if recording.note:
            notes.append(f"{recording.name}: {recording.note}")
        if wrong:
            continue
        arrays: Arrays = recording.arrays
        for name, array in arrays.items():
            widths.setdefault(name, {}).setdefault(array.shape[1], []).append(recording.name)
        steps.append(len(arrays["observation"]) - 1)
        terminals += int(arrays["discount"][-1, 0] == 0.0)
        foreign += "features" not in arrays
        seen = {"observation": arrays["observation"], "action": arrays["action"][1:]}
        if episode and doubts:
            doubts.add(recording, episode)
            seen |= {"observation": episode.observation, "features": episode.features}
        for name, rows in seen.items():
            now = ColumnRange.of(rows)
            same = name in ranges and len(ranges[name].low) == len(now.low)
            ranges[name] = ranges[name].merged(now) if same else now
    if spec is None:  # With a robot, each episode was checked by itself.
        problems += [entry for name, found in widths.items() for entry in _odd_ones(name, found)]
    if len(widths.get("physics", {})) > 1 and 0 in widths["physics"]:
        notes.append("not all episodes hold physics to compute rewards from")
    if not steps and not problems:
        problems.append({"episode": "all", "problem": "there is not one episode in it"})
    odd = list(doubts.texts()) if doubts else []
    for text in odd:
        found.add("doubt", text)
    moved = _set_aside(config.data, layout, problems) if config.set_aside else 0
    return {
        "path": str(config.data),
        "format": layout,
        "robot": spec.name if spec else "",
        "episodes": len(steps),
        "transitions": sum(steps),
        "steps": {"min": min(steps), "median": float(np.median(steps)), "max": max(steps)}
        if steps
        else {},
        "terminal_ends": terminals,
        "other_ends": len(steps) - terminals,
        "widths": {name: sorted(found) for name, found in widths.items()},
        "recomputed": foreign if spec else 0,
        "columns": {name: _columns(name, found, spec) for name, found in ranges.items()},
        "notes": notes,
        "found": [dataclasses.asdict(one) for one in found.entries],
        "problems": problems,
        "set_aside": moved,
        "ok": moved == len({entry["episode"] for entry in problems}) and (config.trust or not odd),
    }


def _robot_of(config: InspectDataConfig, layout: str) -> RobotSpec | None:
    name = config.robot
    described = config.data / METADATA
    if not name and layout == "episodes" and described.is_file():
        name = str(read_record(described).get("robot", ""))
        require_robot(name)
    return make_environment(name).spec if name else None


def _odd_ones(name: str, found: dict[int, list[str]]) -> list[dict[str, str]]:
    """A problem for each episode in which `name` has another width than in most episodes."""
    # Episodes may lack physics; those that have it must agree.
    found = {width: episodes for width, episodes in found.items() if width}
    usual = max(found, key=lambda width: len(found[width]), default=0)
    return [
        {
            "episode": episode,
            "problem": f"{name} has {width} components, most episodes have {usual}",
        }
        for width, episodes in found.items()
        if width != usual
        for episode in episodes
    ]


def _set_aside(folder: Path, layout: str, problems: list[dict[str, str]]) -> int:
    """Moves the episodes with problems; returns their number."""
    if layout != "episodes":
        raise FbRosError(
            f"{folder} is {layout} and no folder of episodes: none of its files can be set aside; "
            "leave out its bad episodes by converting it with --bad skip"
        )
    names = {entry["episode"] for entry in problems}
    bad = [folder / name for name in sorted(names) if (folder / name).is_file()]
    for path in bad:
        (folder / BAD).mkdir(exist_ok=True)
        path.rename(folder / BAD / path.name)
    return len(bad)


def _columns(name: str, found: ColumnRange, spec: RobotSpec | None) -> list[dict[str, Any]]:
    """Range, mean and spread of each part of an array, by the robot's names if they fit."""
    fields: tuple[Field, ...] = ()
    if spec and name in ("observation", "features"):
        fields = spec.observation if name == "observation" else spec.features
    parts = layout_slices(fields) or {name: slice(0, len(found.low))}
    units = {field.name: field.unit for field in fields}
    return [
        {
            "name": part,
            "size": where.stop - where.start,
            "unit": units.get(part, ""),
            "min": float(found.low[where].min()),
            "max": float(found.high[where].max()),
            "mean": float(found.moments.mean[where].mean()),
            "std": float(found.moments.std[where].mean()),
        }
        for part, where in parts.items()
    ]


def _show(result: Result) -> str:
    lines = [f"{result['path']}: {result['format']}, robot {result['robot'] or 'not given'}"]
    if result["steps"]:
        steps = result["steps"]
        lines.append(
            f"  {result['episodes']} episodes of {steps['min']} to {steps['max']} steps (median "
            f"{steps['median']:.0f}), {result['transitions']} transitions; "
            f"{result['terminal_ends']} end in a terminal state, {result['other_ends']} because "
            "time or the recording did"
        )
    shown = ", ".join(
        f"{name} {'/'.join(map(str, found))}" for name, found in result["widths"].items()
    )
    lines += [f"  components: {shown}"] if shown else []
    if result["recomputed"]:
        what = "observation and features are" if "physics" in result["widths"] else "features are"
        of = "stored physics" if "physics" in result["widths"] else "observation"
        lines.append(
            f"  {result['recomputed']} episodes were not written by `fb_ros collect`: {what} "
            f"computed from the {of}"
        )
    for name, columns in result["columns"].items():
        for column in columns:
            label = f"{name}.{column['name']}" if column["name"] != name else name
            lines.append(
                f"  {label:<28} {column['size']:>3}  {column['min']:>10.4g} to "
                f"{column['max']:<10.4g} mean {column['mean']:<10.4g} std {column['std']:.4g} "
                f"{column['unit']}"
            )
    lines += [f"  note: {note}" for note in result["notes"][:_SHOWN]]
    doubted = [one for one in result["found"] if one["kind"] == "doubt"]
    for one in result["found"]:
        lines.append(f"  {'doubt' if one in doubted else 'note'}: {one['text']}")
    problems = result["problems"]
    lines += [f"  bad: {entry['episode']}: {entry['problem']}" for entry in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"  ... and {len(problems) - _SHOWN} more (--json has them all)")
    if result["set_aside"]:
        lines.append(f"  {result['set_aside']} files were moved to {result['path']}/{BAD}")
    if not problems:
        lines.append(
            "  `fb_ros data convert` refuses doubts without --trust"
            if doubted
            else "  nothing is wrong with it"
        )
    return "\n".join(lines).rstrip()


COMMAND = Command(config=InspectDataConfig, run=inspect_data, show=_show)
