"""A recorder beside a robot, for tests that need a bag."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from diagnostic_msgs.msg import DiagnosticArray

from fb_ros.errors import FbRosError
from sim.testing.simulated_robot import SimulatedRobot


class Heard:
    """The topics that the recorder says it hears."""

    def __init__(self, recorder: subprocess.Popen[bytes], namespace: str) -> None:
        self._namespace = namespace
        self.lines: list[str] = []
        assert recorder.stderr is not None
        self._stderr = recorder.stderr
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def topics(self) -> set[str]:
        words = [line.split() for line in list(self.lines)]
        heard = {one[1] for one in words if one[:1] == ["hearing"]}
        return {topic.removeprefix(f"{self._namespace}/") for topic in heard}

    def _read(self) -> None:
        self.lines += (line.decode() for line in iter(self._stderr.readline, b""))


@contextmanager
def recorder(bag: Path, namespace: str) -> Iterator[Heard]:
    """A recorder of the robot in `namespace`; it is to end well, with every topic in its bag."""
    command = [sys.executable, "-m", "fb_ros.cli", "record", "--namespace", namespace]
    with subprocess.Popen(
        [*command, "--out", str(bag), "--json"], stdout=-1, stderr=-1
    ) as running:
        heard = Heard(running, namespace)
        try:
            yield heard
            running.send_signal(signal.SIGINT)
            assert running.stdout is not None
            out = running.stdout.read()
            assert running.wait(timeout=60.0) == 0, heard.lines
        finally:
            running.kill()
    messages = json.loads(out.decode().splitlines()[-1])["messages"]
    topics = ("prompt/skill", "prompt/status", "joint_states", "z", "commands")
    assert not [topic for topic in topics if not messages[f"{namespace}/{topic}"]]


def wait_until_recorded(robot: SimulatedRobot, heard: Heard) -> None:
    """Returns when the recorder hears sensors and prompts, and how the simulation runs."""
    client = robot.client
    # A reader that is just being told of a writer misses what that writes meanwhile.
    while not {"prompt/skill", "prompt/status"} <= heard.topics():
        with pytest.raises(FbRosError, match="there is no prompt"):
            robot.prompt("nobody_knows_this(1)")
    client.wait_for(lambda: {"joint_states", "/diagnostics"} <= heard.topics(), "the recorder")
    # The simulation says once a second how it runs.
    told: list[DiagnosticArray] = []
    client.create_subscription(DiagnosticArray, "/diagnostics", told.append, 10)
    client.wait_for(lambda: any(_of_simulation(one) for one in told), "sim_node")


def _of_simulation(message: DiagnosticArray) -> bool:
    return any(one.name.endswith("sim_node: simulation") for one in message.status)
