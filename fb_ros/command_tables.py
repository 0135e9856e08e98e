"""Finds the commands: every room has its own table of them."""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import NamedTuple

from fb_ros.command import Command, Entry
from fb_ros.errors import FbRosError

ROOMS = ("training", "fb_ros", "sim")
"""Packages that have commands, in the order of the help."""


class Found(NamedTuple):
    """A command, and the room that it is in."""

    room: str
    entry: Entry


def all_commands() -> dict[str, Found]:
    """The commands of all rooms, by name.

    Raises:
        FbRosError: another package of a room's name hides ours.
    """
    found: dict[str, Found] = {}
    for room in ROOMS:
        require_ours(room)
        table: dict[str, Entry] = importlib.import_module(f"{room}.commands").COMMANDS
        found |= {name: Found(room, entry) for name, entry in table.items()}
    return found


def load_command(name: str) -> Command:
    """The command of that name.

    Raises:
        FbRosError: there is no such command, or a package that it needs is not installed.
    """
    commands = all_commands()
    if name not in commands:
        raise FbRosError(f"there is no such command; possible: {', '.join(commands)}")
    room, entry = commands[name]
    try:
        command: Command = importlib.import_module(f"{room}.commands.{entry.module}").COMMAND
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in ROOMS:
            # pip could not install this package: the installation is incomplete.
            raise FbRosError(
                f"this installation of fb_ros lacks its module {error.name}; install it again"
            ) from error
        raise FbRosError(
            f"the Python package {error.name} is missing; install it with "
            f"`pip install 'fb_ros[{entry.extra}]'`"
        ) from error
    return command


def require_ours(room: str) -> None:
    """Refuses a foreign package of the room's name that hides ours.

    Raises:
        FbRosError: the package lies elsewhere than beside this one.
    """
    ours = Path(__file__).resolve().parent.parent
    spec = importlib.util.find_spec(room)
    places = [Path(place).resolve() for place in (spec and spec.submodule_search_locations) or ()]
    if ours / room in places:
        return
    if spec is None:
        raise FbRosError(f"this installation of fb_ros lacks its package {room}; install it again")
    hiding = places[0] if places else Path(spec.origin or room)
    raise FbRosError(
        f"{hiding} hides the package {room} of fb_ros, which is {ours / room}; start from another "
        "folder, or take it out of PYTHONPATH"
    )
