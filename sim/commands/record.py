"""`fb_ros record`: all that is said to a robot and done by it, as a bag."""

from __future__ import annotations

import dataclasses
import signal
import threading
import time
from pathlib import Path

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.nodes.run import init_ros
from sim.recording.recorder import Recorder

# How long a recording goes on after its end, at most; and how many times nothing may come.
_LAST_SECONDS, _QUIET_SPINS = 2.0, 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class RecordConfig(CommandConfig):
    """Record every topic of a robot until Ctrl-C: prompts, `z`, status, sensors and commands.

    The bag is one of ROS 2 (MCAP), as of `ros2 bag record`, which does the same where ROS is
    installed. `fb_ros replay` says the prompts again; `fb_ros data convert` makes data of it.
    """

    namespace: str = "/jaco"
    """Namespace of the robot's topics."""
    out: Path = Path("recording")
    """Folder of the bag; it must not exist yet."""
    seconds: float = 0.0
    """Stop by itself after this time; 0: never."""


def record(config: RecordConfig) -> Result:
    """Records until interrupted; returns how many messages each topic had."""
    # rclpy's own handlers would end the context, and with it what has arrived and is not written.
    init_ros(signal_handler_options=SignalHandlerOptions.NO)
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    started = time.monotonic()
    try:
        recorder = Recorder(config.namespace, config.out)
        executor = SingleThreadedExecutor()
        executor.add_node(recorder)
        print(f"recording {recorder.get_namespace()} to {config.out}; Ctrl-C ends it", flush=True)
        while not ended.is_set():
            executor.spin_once(timeout_sec=0.2)
            if config.seconds and time.monotonic() - started >= config.seconds:
                ended.set()
        _write_what_has_arrived(recorder, executor)
        recorder.close()
        counts = dict(sorted(recorder.counts.items()))
    finally:
        rclpy.try_shutdown()
    if not any(counts.values()):
        raise FbRosError(
            f"nothing was said in {config.namespace}; `ros2 topic list` shows the namespaces"
        )
    return {
        "out": str(config.out),
        "seconds": time.monotonic() - started,
        "messages": counts,
        "not_recorded": recorder.unknown,
    }


def _write_what_has_arrived(recorder: Recorder, executor: SingleThreadedExecutor) -> None:
    """Goes on until nothing new comes, but not for long: a robot in motion is never silent."""
    until = time.monotonic() + _LAST_SECONDS
    written, quiet = sum(recorder.counts.values()), 0
    while quiet < _QUIET_SPINS and time.monotonic() < until:
        executor.spin_once(timeout_sec=0.02)
        total = sum(recorder.counts.values())
        written, quiet = total, 0 if total > written else quiet + 1


def _show(result: Result) -> str:
    lines = [f"{result['out']}: {result['seconds']:.1f} s"]
    lines += [f"{count:8d}  {topic}" for topic, count in result["messages"].items()]
    lines += [
        f"       -  {topic}: {kind} is not installed here"
        for topic, kind in result["not_recorded"].items()
    ]
    return "\n".join(lines)


COMMAND = Command(config=RecordConfig, run=record, show=_show)
