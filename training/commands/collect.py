"""`fb_ros collect`: exploratory data of a simulated robot, in ExORL's layout."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from pathlib import Path
from typing import Any

from fb_ros.bundle.bundle import load_bundle
from fb_ros.command import Command, Result
from fb_ros.errors import FbRosError
from fb_ros.folder_lock import sole_writer
from fb_ros.paths import find_bundle
from sim.progress import progress_bar
from training.collecting.collect_config import CollectConfig
from training.collecting.collect_controller import require_recordable
from training.collecting.collect_noise import episodes_of
from training.collecting.controller_layout import find_layout
from training.collecting.goal_seeker import GoalSeeker
from training.data.episode import episode_index, episode_paths
from training.data.fingerprint import METADATA
from training.data.record import first_difference, read_record, write_record


def collect(config: CollectConfig) -> Result:
    """Writes the missing episodes and the description of the data; returns the figures."""
    if config.policy:
        bundle = find_bundle(config.policy)
        config = dataclasses.replace(config, policy=bundle)
        # Built here first: a worker that fails to start would be restarted for ever.
        robot = GoalSeeker(bundle).robot.name
        if robot != config.robot:
            raise FbRosError(f"{config.policy} is a model of {robot}, not of {config.robot}")
    if config.controller:
        require_recordable(config)
    with sole_writer(config.out, "fb_ros collect"):
        return _collect(config)


def _collect(config: CollectConfig) -> Result:
    _refuse_other_data(config)
    start = time.perf_counter()
    if config.method in ("noise", "controller"):
        episodes, steps = _collect_each(config)
    else:
        # Imported only here, since random motion needs no torch.
        try:
            from training.collecting.collect_online import collect_online
        except ModuleNotFoundError as error:
            raise FbRosError(
                f"the Python package {error.name} is missing; install it with "
                "`pip install 'fb_ros[train]'`"
            ) from error
        episodes, steps = collect_online(config)
    seconds = time.perf_counter() - start
    return {
        "robot": config.robot,
        "method": config.method,
        "episodes": episodes,
        "transitions": steps,
        "seconds": seconds,
        "per_s": steps / seconds if episodes else 0.0,
        "out": str(config.out),
    }


def _collect_each(config: CollectConfig) -> tuple[int, int]:
    """Collects the missing episodes; returns their number and their transitions."""
    present = {episode_index(path) for path in episode_paths(config.out)}
    missing = [index for index in range(config.episodes) if index not in present]
    steps = 0
    progress = progress_bar(title=f"collect {config.robot}", unit="episode", total=len(missing))
    with progress:
        for count in episodes_of(config, missing):
            steps += count
            progress.update()
    return len(missing), steps


def _refuse_other_data(config: CollectConfig) -> None:
    described = dataclasses.asdict(config)
    for changeable in ("out", "workers", "episodes", "json"):
        del described[changeable]
    # The record holds the model's id, since another model may lie at its path later.
    described["policy"] = load_bundle(config.policy).model_id if config.policy else None
    described["controller"] = described["controller_layout"] = None
    if config.controller:
        # Likewise it holds a digest of the files instead of their paths.
        described["controller"] = _digest(config.controller)
        described["controller_layout"] = _digest(find_layout(config.controller_layout))
    path = config.out / METADATA
    # Older records lack these settings; they used today's defaults.
    known = dataclasses.asdict(CollectConfig()) | {"controller_layout": None}
    if path.exists():
        before, now = _plain({**known, **read_record(path)}), _plain({**known, **described})
        name = first_difference(before, now)
        if name:
            raise FbRosError(
                f"{config.out} holds data of other settings, {name} {before.get(name)!r} and "
                f"not {now[name]!r} ({path}); choose another --out"
            )
    write_record(path, described)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _plain(record: dict[str, Any]) -> dict[str, Any]:
    """The record as it comes back from a file."""
    plain: dict[str, Any] = json.loads(json.dumps(record, default=str))
    return plain


def _show(result: Result) -> str:
    return (
        f"{result['out']}: {result['episodes']} episodes, {result['transitions']} transitions in "
        f"{result['seconds']:.0f} s ({result['per_s']:.0f} a second)"
    )


COMMAND = Command(config=CollectConfig, run=collect, show=_show)
