"""`fb_ros COMMAND`: one typed configuration for each command."""

from __future__ import annotations

import dataclasses
import importlib
import json
import signal
import sys
import threading
from types import FrameType

import tyro

from fb_ros import __version__
from fb_ros.command import Command, CommandConfig
from fb_ros.errors import FbRosError


@dataclasses.dataclass(frozen=True)
class _Entry:
    module: str
    extra: str
    summary: str


# By name, and loaded on demand: `fb_ros` itself must run where torch and MuJoCo are absent.
_COMMANDS = {
    "collect": _Entry("training.collect", "sim", "exploratory data of a simulated robot"),
    "data inspect": _Entry("training.inspect_data", "train", "what data hold and what ails them"),
    "data convert": _Entry("training.convert_data", "train", "HDF5 files and bags into episodes"),
    "train": _Entry("training.train", "train", "a model from collected data"),
    "evaluate": _Entry("training.evaluate", "sim", "how well a model reaches its goals"),
    "topline": _Entry("training.topline", "train", "an agent that is told one task, to compare"),
    "compare": _Entry("training.compare", "train", "runs against each other on benchmark tasks"),
    "export": _Entry("training.export", "train", "a trained model as a bundle"),
    "build-engine": _Entry("fb_ros.build_engine", "tensorrt", "TensorRT engines of a model"),
    "inspect": _Entry("fb_ros.inspect_bundle", "", "what a bundle is and where it came from"),
    "prompt": _Entry("fb_ros.prompt_command", "", "ask a running robot for something"),
    "benchmark": _Entry("training.benchmark", "ros,train", "how long things take here"),
    "demo": _Entry("sim.demo", "ros,sim", "a simulated robot reaching for goals"),
}


def main(argv: list[str] | None = None) -> int:
    """Runs one command; a refusal is one line on standard error and exit status 1."""
    words = sys.argv[1:] if argv is None else argv
    if not words or words[0] in ("-h", "--help"):
        print(_help())
        return 0
    if words[0] == "--version":
        print(__version__)
        return 0
    before = signal.signal(signal.SIGTERM, _interrupt) if _in_main_thread() else None
    try:
        return _run(words)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _in_main_thread() -> bool:
    """Whether signals can be handled here at all."""
    return threading.current_thread() is threading.main_thread()


def _interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends a command as Ctrl-C does: what it has started ends with it."""
    signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _run(words: list[str]) -> int:
    # Commands of two words come before those of one.
    name = " ".join(words[:2]) if " ".join(words[:2]) in _COMMANDS else words[0]
    try:
        command = _load(name)
        config = _parse(name, command, words[name.count(" ") + 1 :])
        result = command.run(config)
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
    if command.default is None:
        return tyro.cli(command.config, args=words, prog=prog)
    return tyro.cli(command.config, args=words, prog=prog, default=command.default(words))


def _help() -> str:
    lines = [f"  {name:<13} {entry.summary}" for name, entry in _COMMANDS.items()]
    usage = "usage: fb_ros COMMAND [OPTIONS]\n\nPublish a reward, get a behaviour.\n\ncommands:\n"
    return usage + "\n".join(lines) + "\n\n`fb_ros COMMAND --help` explains its options."


def _load(name: str) -> Command:
    if name not in _COMMANDS:
        raise FbRosError(f"there is no such command; possible: {', '.join(_COMMANDS)}")
    entry = _COMMANDS[name]
    try:
        command: Command = importlib.import_module(entry.module).COMMAND
    except ModuleNotFoundError as error:
        remedy = f"install it with `pip install 'fb_ros[{entry.extra}]'`"
        raise FbRosError(f"the Python package {error.name} is missing; {remedy}") from error
    return command


if __name__ == "__main__":
    sys.exit(main())
