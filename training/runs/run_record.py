"""The files of a training run, and how its record is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fb_ros.command import Result
from fb_ros.errors import FbRosError
from training.agents.agent_config import AgentConfig
from training.data.record import read_record
from training.runs.verify_records import verify_run, verify_settings

RUN = "run.json"
"""The record: settings, data, learning curve."""
BEST, LAST = "best.safetensors", "last.safetensors"
"""The weights of the best evaluation, and the last ones."""


def read_run(folder: Path) -> Result:
    """The record of a training run; refuses a folder that holds none."""
    path = folder / RUN
    if not path.is_file():
        raise FbRosError(
            f"{folder} holds no training run (no {RUN}); make one with `fb_ros train`"
        )
    run = read_record(path)
    verify_run(run, path)
    return run


def agent_of(run: Result, folder: Path) -> AgentConfig:
    """The settings of a run's agent; refuses those of another version."""
    with of_this_version(folder):
        verify_settings(AgentConfig, run["agent"])
        return AgentConfig.from_json(run["agent"])


@contextmanager
def of_this_version(folder: Path) -> Iterator[None]:
    """Reads a run's record; anything that does not fit is refused as from another version.

    Raises:
        FbRosError: an entry is missing, unknown or of another type.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, FbRosError) as error:
        raise FbRosError(
            f"{folder / RUN} is not of this version of fb_ros ({error}); train again"
        ) from error
