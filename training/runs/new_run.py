"""The record at the beginning of a training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from fb_ros.command import Result
from training.compute.device import device_name
from training.data.fingerprint import METADATA
from training.data.record import read_record
from training.runs.commit import commit
from training.runs.train_config import TrainConfig


def new_run(
    config: TrainConfig,
    settings: dict[str, Any],
    transitions: int,
    init: Result | None,
    device: torch.device,
) -> Result:
    """Records the model's origin: code, data, settings, machine.

    `settings` are those that must not change; `init` describes the weights that it started from.
    """
    return {
        "robot": config.robot,
        "commit": commit(),
        "data": {
            "fingerprint": settings["data"],
            "transitions": transitions,
            "collected_with": [_collected_with(folder) for folder in config.data],
        },
        "seed": config.seed,
        "init": init,
        "recipe": config.recipe,
        "agent": settings["agent"],
        "batch": settings["agent"]["batch"],
        "threads": torch.get_num_threads(),
        "eval_tasks": settings["eval_tasks"],
        "eval_start": settings["eval_start"],
        "device": device_name(device),
        "learning_curve": [],
    }


def _collected_with(folder: Path) -> dict[str, Any]:
    """How the data of a folder were collected, if known."""
    path = folder / METADATA
    return read_record(path) if path.is_file() else {}
