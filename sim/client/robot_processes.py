"""The processes of one robot, started and ended without `ros2 launch`."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import IO

from fb_ros.bringup.options import default_options
from fb_ros.bringup.processes import command_line, robot_processes
from fb_ros.errors import FbRosError

_PATIENCE_SECONDS = 10.0


class RobotProcesses:
    """A context in which the simulated robot's nodes run, each in a process of its own."""

    def __init__(
        self,
        robot: str,
        options: Mapping[str, str],
        *,
        modules: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Chooses the processes.

        `modules` replaces a process's module by the process's name; one with an empty module is
        not started. `environment` holds environment variables added for the processes.
        """
        self._environment = {**os.environ, **(environment or {})}
        values = {**default_options(robot), **options}
        others = modules or {}
        self._commands = {
            process.name: command_line(
                dataclasses.replace(process, module=others.get(process.name, process.module)),
                values,
            )
            for process in robot_processes(robot, values)
            if others.get(process.name, process.module)
        }
        self._vital = {process.name for process in robot_processes(robot, values) if process.vital}
        self._missed: set[str] = set()
        self._running: dict[str, tuple[subprocess.Popen[bytes], IO[bytes]]] = {}

    def __enter__(self) -> RobotProcesses:
        for name in self._commands:
            self.start(name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process, _ in self._running.values():
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
        for process, log in self._running.values():
            try:
                process.wait(_PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            log.close()

    def raise_if_ended(self) -> None:
        """Raises when a process has ended, with the last line that it wrote.

        When a process that the robot can do without has ended, reports it once and goes on.
        """
        for name, (process, _) in self._running.items():
            if process.poll() is None:
                continue
            lines = self.log(name).strip().splitlines()
            reason = f"{name} ended with status {process.returncode}: " + (
                lines[-1] if lines else "it wrote nothing"
            )
            if name in self._vital:
                raise FbRosError(reason)
            if name not in self._missed:
                self._missed.add(name)
                print(reason, file=sys.stderr, flush=True)

    def start(self, name: str) -> None:
        """Starts the process of that name, again if it has ended."""
        if name in self._running:
            ended, log = self._running[name]
            ended.wait(_PATIENCE_SECONDS)
            log.close()
        log = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the process
        # Signals wait until the process can handle them, so that one during the start leaves no
        # traceback.
        held = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
        try:
            process = subprocess.Popen(
                self._commands[name],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env=self._environment,
            )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        self._running[name] = (process, log)

    def send(self, name: str, number: signal.Signals) -> None:
        """Sends a signal to one process."""
        self._running[name][0].send_signal(number)

    def end(self, name: str, number: signal.Signals = signal.SIGINT) -> int:
        """Ends one process as Ctrl-C does, waits until it is gone, and returns its exit status."""
        self.send(name, number)
        return self.wait(name)

    def wait(self, name: str, patience: float = _PATIENCE_SECONDS) -> int:
        """Waits until a process has ended; returns its exit status."""
        return self._running[name][0].wait(patience)

    def command(self, name: str) -> list[str]:
        """The command line that starts the process of that name."""
        return list(self._commands[name])

    def pid(self, name: str) -> int:
        """Process id of the process of that name."""
        return self._running[name][0].pid

    def log(self, name: str) -> str:
        """Everything that the process of that name has written so far."""
        log = self._running[name][1]
        log.seek(0)
        return log.read().decode(errors="replace")
