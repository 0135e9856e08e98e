"""Resuming a training from its checkpoint, with unchanged settings."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from fb_ros.errors import FbRosError
from training.agents.agent_config import AgentConfig
from training.compute import distributed
from training.data.fingerprint import data_fingerprint
from training.data.record import first_difference
from training.runs.checkpoint import read_record_of
from training.runs.train_config import TrainConfig

CHECKPOINT = "checkpoint.safetensors"
"""Name of the checkpoint's file in a run's folder."""

# Older checkpoints lack these settings; they used today's defaults.
_DEFAULTS = {"eval_tasks": [], "eval_start": "benchmark"}


def settings_of(config: TrainConfig, agent: AgentConfig) -> dict[str, Any]:
    """Settings that must not change when a training resumes; `agent` names its features."""
    return {
        "robot": config.robot,
        "data": data_fingerprint(config.data),
        "seed": config.seed,
        "processes": distributed.count(),
        # The best weights are the best at these tasks.
        "eval_tasks": list(config.eval_tasks),
        "eval_start": config.eval_start,
        "agent": dataclasses.asdict(agent),
    }


def record_to_resume(config: TrainConfig) -> dict[str, Any] | None:
    """The record of the checkpoint to resume from; None if there is none.

    Raises:
        FbRosError: there is one, and `config.resume` is off.
    """
    path = config.out / CHECKPOINT
    if not path.exists():
        return None
    record = read_record_of(path)
    if not config.resume:
        raise FbRosError(
            f"{config.out} holds a training of {record['update']} updates; go on with it with "
            "--resume, or choose another --out"
        )
    return record


def require_same(before: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    """Refuses to resume a training with other settings, naming the first that differs."""
    before = {**_DEFAULTS, **before}
    # Tuples become lists, since JSON has no tuples.
    as_lists = {name: list(v) if isinstance(v, tuple) else v for name, v in now["agent"].items()}
    found = {**before, **{f"agent.{name}": value for name, value in before["agent"].items()}}
    expected = {**now, **{f"agent.{name}": value for name, value in as_lists.items()}}
    del expected["agent"]
    name = first_difference(found, expected)
    if name:
        raise FbRosError(
            f"{path} was made with {name} {found.get(name)!r}, not {expected[name]!r}; go on with "
            "its own settings, or choose another --out (and --init to start from its weights)"
        )
