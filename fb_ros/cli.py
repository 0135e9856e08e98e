"""`fb_ros COMMAND`: one typed configuration for each command."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
from types import FrameType

import tyro

from fb_ros import __version__
from fb_ros.command import Command, CommandConfig
from fb_ros.command_tables import all_commands, load_command
from fb_ros.errors import FbRosError


def main(argv: list[str] | None = None) -> int:
    """Runs one command; a refusal is one line on standard error and exit status 1."""
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["--version"]:
        print(__version__)
        return 0
    for stream in (sys.stdout, sys.stderr):
        # A console that is not UTF-8 shows a question mark for each character that it lacks.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    before = signal.signal(signal.SIGTERM, _interrupt) if _in_main_thread() else None
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:
        return _unread()
    else:
        return code
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _in_main_thread() -> bool:
    """Whether this is the main thread, the only one that can handle signals."""
    return threading.current_thread() is threading.main_thread()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Makes SIGTERM end a command as Ctrl-C does: the processes that it started end with it."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _unread() -> int:
    """Ends quietly, as other programs do, when the reader has gone: `fb_ros … | head`."""
    # Otherwise the interpreter would try once more to write the rest.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 128 + signal.SIGPIPE


def _run(words: list[str]) -> int:
    name = words[0] if words else "--help"
    try:
        if name in ("-h", "--help"):
            print(_help())
            return 0
        # Commands of two words come before those of one.
        if " ".join(words[:2]) in all_commands():
            name = " ".join(words[:2])
        command = load_command(name)
        config = _parse(name, command, words[name.count(" ") + 1 :])
        result = command.run(config)
    except BrokenPipeError:
        raise
    except (FbRosError, OSError) as error:
        print(f"fb_ros {name}: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"fb_ros {name}: interrupted", file=sys.stderr)
        return 130
    print(json.dumps(result) if config.json else command.show(result))
    return 0 if result.get("ok", True) else 1


def _parse(name: str, command: Command, words: list[str]) -> CommandConfig:
    prog = f"fb_ros {name}"
    words = _joined(words)
    if command.default is None:
        return tyro.cli(command.config, args=words, prog=prog)
    return tyro.cli(command.config, args=words, prog=prog, default=command.default(words))


def _joined(words: list[str]) -> list[str]:
    """Turns `--reward -norm(x)` into `--reward=-norm(x)`: the value would pass for an option."""
    joined: list[str] = []
    for word in words:
        before = joined[-1] if joined else ""
        option = before.startswith("--") and "=" not in before and len(before) > 2
        if option and word.startswith("-") and not _is_option_or_number(word):
            joined[-1] = f"{before}={word}"
        else:
            joined.append(word)
    return joined


def _is_option_or_number(word: str) -> bool:
    """Whether a word that begins with a minus is read correctly as it stands."""
    if word.startswith("--") or word in ("-", "-h"):
        return True
    try:
        float(word)
    except ValueError:
        return False
    return True


def _help() -> str:
    lines = [f"  {name:<13} {found.entry.summary}" for name, found in all_commands().items()]
    usage = "usage: fb_ros COMMAND [OPTIONS]\n\nPublish a reward, get a behaviour.\n\ncommands:\n"
    return usage + "\n".join(lines) + "\n\n`fb_ros COMMAND --help` explains its options."


if __name__ == "__main__":
    sys.exit(main())
