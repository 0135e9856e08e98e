"""Checks of trainings' records, which may be foreign or damaged."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fb_ros.errors import FbRosError, shown
from fb_ros.robot.sanity import is_number

_LONGEST_NAME = 200
_REMEDY = "it is damaged, or not of this version of fb_ros"


def verify_run(run: Mapping[str, Any], path: Path) -> None:
    """Refuses a run's record in which an entry that others read is missing or invalid.

    Raises:
        FbRosError: The first such entry, by name.
    """
    for name, kind in (("robot", str), ("data", dict), ("agent", dict), ("learning_curve", list)):
        if name in run and not isinstance(run[name], kind):
            _refuse(path, name, run[name])
    for name in ("robot", "data", "agent"):
        if name not in run and run.get("algorithm") is None:
            raise FbRosError(f"{path} lacks {name}: {_REMEDY}")
    if "fingerprint" in run.get("data", {}) and not isinstance(run["data"]["fingerprint"], str):
        _refuse(path, "data.fingerprint", run["data"]["fingerprint"])
    for name in ("seed", "updates"):
        if name in run and type(run[name]) is not int:
            _refuse(path, name, run[name])
    for name in ("last", "best"):
        if name in run and not _is_row(run[name]):
            _refuse(path, name, run[name])
    for row in run.get("learning_curve", []):
        if not _is_row(row):
            _refuse(path, "learning_curve", row)


def verify_checkpoint(record: Any, path: Path) -> dict[str, Any]:
    """The record of a checkpoint, if it has everything that a training resumes from.

    Raises:
        FbRosError: The first entry that is missing or invalid.
    """
    if not isinstance(record, dict):
        raise FbRosError(f"{path} holds a record that is {shown(record)}: {_REMEDY}")
    for name in ("update", "minutes", "best", "settings", "run"):
        if name not in record:
            raise FbRosError(f"{path} lacks {name}: {_REMEDY}")
    if type(record["update"]) is not int or record["update"] < 0:
        _refuse(path, "update", record["update"])
    if not is_number(record["minutes"]) or record["minutes"] < 0.0:
        _refuse(path, "minutes", record["minutes"])
    if record["best"] is not None and not is_number(record["best"]):
        _refuse(path, "best", record["best"])
    settings, run = record["settings"], record["run"]
    if not isinstance(settings, dict) or not isinstance(settings.get("agent"), dict):
        _refuse(path, "settings", settings)
    if not isinstance(run, dict):
        _refuse(path, "run", run)
    verify_run(run, path)
    if "learning_curve" not in run:
        raise FbRosError(f"{path} lacks the learning curve: {_REMEDY}")
    whole: dict[str, Any] = record
    return whole


def verify_settings(kind: type, settings: Any) -> None:
    """Refuses settings whose values have another type than the defaults of the dataclass.

    Raises:
        FbRosError: The first such setting.
    """
    if not isinstance(settings, dict):
        raise FbRosError(f"the settings are {shown(settings)}, expected them by name")
    for field in dataclasses.fields(kind):
        default, value = field.default, settings.get(field.name, field.default)
        number = isinstance(default, float) and is_number(value)
        entries = isinstance(default, tuple) and isinstance(value, (list, tuple))
        short = not isinstance(value, str) or len(value) <= _LONGEST_NAME
        if default is dataclasses.MISSING:
            continue
        if short and (type(value) is type(default) or number or entries):
            continue
        raise FbRosError(f"{field.name} is {shown(value)}, expected something like {default!r}")


def _is_row(row: object) -> bool:
    """Whether it is a row of a curve: numbers by name, some of which may be missing."""
    return isinstance(row, dict) and all(
        value is None or isinstance(value, float) or is_number(value) for value in row.values()
    )


def _refuse(path: Path, name: str, value: object) -> None:
    raise FbRosError(f"{path}: {name} is {shown(value)}: {_REMEDY}")
