"""The parts of a subcommand of `fb_ros`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

Result = dict[str, Any]


@dataclasses.dataclass(frozen=True, kw_only=True)
class CommandConfig:
    """Settings of every command."""

    json: bool = False
    """Print one JSON object on standard output; everything else goes to standard error."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Command:
    """A subcommand: a typed configuration, and a function that runs it."""

    config: Any
    """A dataclass that derives from `CommandConfig`, or a union of several: its fields become the
    flags, their docstrings the help."""
    run: Callable[[Any], Result]
    """Does the work and returns what `--json` prints; `ok`, if there and false, fails it."""
    show: Callable[[Result], str]
    """The result as text for a person."""
    default: Callable[[Sequence[str]], Any] | None = None
    """The configuration that the words on the command line start from, where it depends on
    them."""


@dataclasses.dataclass(frozen=True)
class Entry:
    """A command in the table of its room, `ROOM.commands.COMMANDS`."""

    module: str
    """Module of that folder that defines the `COMMAND`."""
    extra: str
    """Extras of the package that install its requirements; empty for none."""
    summary: str
    """Its line in `fb_ros --help`."""
