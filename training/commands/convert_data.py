"""`fb_ros data convert`: turns HDF5 files and bags into the folder of episodes for training."""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import tyro

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from sim.progress import progress_bar
from sim.robots.environment import Environment
from sim.robots.registry import make_environment, require_robot
from training.collecting.rollout import episode_of
from training.data.bags.mapping import read_mapping
from training.data.complete_episode import EpisodeCompleter
from training.data.data_source import check, format_of, read_recordings
from training.data.episode import Episode, save_episode
from training.data.episode_doubts import Doubts
from training.data.findings import Findings
from training.data.fingerprint import METADATA
from training.data.record import write_record
from training.data.recording import Arrays, Recording


@dataclasses.dataclass(frozen=True, kw_only=True)
class ConvertConfig(CommandConfig):
    """Turn recordings into a folder of episodes, whole or not at all."""

    sources: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """HDF5 files (D4RL's or Minari's), bags (sqlite3 or MCAP) and folders of episodes."""
    out: Path
    """Folder to create."""
    robot: str = "jaco"
    """Robot that was recorded."""
    mapping: Path | None = None
    """YAML file that maps a bag's topics to the robot's state (docs/data.md)."""
    actions: Literal["normalised", "physical"] = "normalised"
    """Unit of an HDF5 file's actions: from -1 to 1, or commands in the robot's units."""
    mirrored: bool = False
    """Write the episodes mirrored, left for right, for symmetric robots: together with the
    originals they are twice the data, and the recorded controller favours no side."""
    bad: Literal["refuse", "skip"] = "refuse"
    """How to treat episodes that cannot be trained on."""
    episode_steps: int | None = None
    """Steps of an episode in a D4RL file that has no `timeouts`."""
    trust: bool = False
    """Convert although the numbers are doubtful: velocities that contradict positions, joints
    beyond their limits, most commands cut off."""
    report: Path | None = None
    """File for all findings, as JSON, also written if the conversion is refused."""

    def __post_init__(self) -> None:
        require_robot(self.robot)
        if not self.sources:
            raise FbRosError("there is nothing to convert; name a file or a folder")
        if self.episode_steps is not None and self.episode_steps < 1:
            raise FbRosError(f"episode_steps is {self.episode_steps}, expected at least 1")


def convert(config: ConvertConfig) -> Result:
    """Writes the episodes; returns their number, and what is wrong with the others."""
    environment = make_environment(config.robot)
    spec = environment.spec
    mapping = read_mapping(config.mapping) if config.mapping else None
    if config.out.exists():
        raise FbRosError(f"{config.out} exists; choose another --out, or remove it")
    formats = {str(source): format_of(source) for source in config.sources}
    config.out.parent.mkdir(parents=True, exist_ok=True)
    # A new name, so that nothing that existed before is replaced.
    partial = Path(tempfile.mkdtemp(prefix=f".{config.out.name}.", dir=config.out.parent))
    partial.chmod(0o755)
    problems: list[dict[str, str]] = []
    notes: list[dict[str, str]] = []
    findings: list[tuple[str, Findings]] = []
    refused = ""
    count, transitions = 0, 0
    completer = EpisodeCompleter(spec)
    try:
        for source in config.sources:
            found, doubts = Findings(), Doubts(spec, environment)
            findings.append((str(source), found))
            recordings = progress_bar(
                read_recordings(source, spec, mapping, found, config.episode_steps),
                title=source.name,
                unit="episode",
            )
            for recording in recordings:
                if config.actions == "physical" and formats[str(source)] in ("d4rl", "minari"):
                    recording = _normalised(recording, spec)
                where = {"source": str(source), "episode": recording.name}
                episode, wrong = check(recording, spec, completer)
                problems += [{**where, "problem": problem} for problem in wrong]
                if recording.note:
                    notes.append({**where, "note": recording.note})
                if episode:
                    doubts.add(recording, episode)
                if episode and config.mirrored:
                    episode = _mirrored(episode, environment)
                if episode:
                    save_episode(partial, count, episode)
                    count, transitions = count + 1, transitions + episode.steps
            for text in doubts.texts():
                found.add("doubt", text)
        if problems and config.bad == "refuse":
            first = problems[0]
            raise FbRosError(
                f"{first['source']}, {first['episode']}: {first['problem']} ({len(problems)} such "
                "problems); mend them, or leave those episodes out with --bad skip"
            )
        if not count:
            reasons = "".join(f"; {one['problem']}" for one in problems[:3])
            raise FbRosError(f"{' '.join(formats)}: not one episode can be trained on{reasons}")
        odd = [f"{name}: {text}" for name, found in findings for text in found.texts("doubt")]
        if odd and not config.trust:
            raise FbRosError(
                f"{odd[0]} ({len(odd)} such doubts; `fb_ros data inspect` has them all); mend the "
                "mapping or the file, or say that it is so with --trust"
            )
        record: dict[str, Any] = {
            "robot": config.robot,
            "converted_from": formats,
            "actions": config.actions,
            "mirrored": config.mirrored,
            "left_out": problems,
            "notes": notes,
            "found": _entries(findings),
        }
        write_record(partial / METADATA, record)
        partial.rename(config.out)
    except FbRosError as error:
        refused = str(error)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if config.report:
            report = {
                "robot": config.robot,
                "converted_from": formats,
                "refused": refused,
                "episodes": 0 if refused else count,
                "transitions": 0 if refused else transitions,
                "left_out": problems,
                "notes": notes,
                "found": _entries(findings),
            }
            write_record(config.report, report)
    return {"out": str(config.out), "episodes": count, "transitions": transitions, **record}


def _entries(findings: list[tuple[str, Findings]]) -> list[dict[str, Any]]:
    return [
        {"source": source, **dataclasses.asdict(one)}
        for source, found in findings
        for one in found.entries
    ]


def _mirrored(episode: Episode, environment: Environment) -> Episode:
    """The episode mirrored, with all read-outs of the robot computed from the mirrored physics."""
    if not episode.physics.shape[1]:
        raise FbRosError("episodes without physics have no mirror image; leave --mirrored out")
    physics, actions = environment.mirrored(episode.physics, episode.action[1:].astype(np.float64))
    image = episode_of(environment, physics, actions, None)
    return dataclasses.replace(image, reward=episode.reward, discount=episode.discount)


def _normalised(recording: Recording, spec: RobotSpec) -> Recording:
    """The recording with its actions scaled from physical units to `[-1, 1]`."""
    action = recording.arrays.get("action")
    if action is None or action.ndim != 2 or action.shape[1] != spec.act_dim:
        return recording
    scaled = spec.unclipped_action(action)
    scaled[0] = 0.0
    arrays: Arrays = {**recording.arrays, "action": scaled}
    return dataclasses.replace(recording, arrays=arrays)


def _show(result: Result) -> str:
    lines = [
        f"{entry['source']}, {entry['episode']}: left out: {entry['problem']}"
        for entry in result["left_out"]
    ]
    lines += [f"{one['source']}, {one['episode']}: {one['note']}" for one in result["notes"]]
    lines += [f"{one['source']}: {one['text']}" for one in result["found"]]
    return "\n".join(
        [
            *lines,
            f"{result['out']}: {result['episodes']} episodes, {result['transitions']} transitions",
        ]
    )


COMMAND = Command(config=ConvertConfig, run=convert, show=_show)
