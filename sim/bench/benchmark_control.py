"""How long a command takes, from publishing an observation to receiving the command.

An echo node gets the same messages in alternate turns, so that both meet the same machine load.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from std_msgs.msg import Float64MultiArray

from fb_ros.bringup.options import default_options
from fb_ros.bringup.processes import Process, command_line
from fb_ros.bringup.this_machine import stay_on_this_machine
from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.bundle.description import write_description
from fb_ros.bundle.files import DESCRIPTION
from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import label_of, to_array_message, values_of
from fb_ros.nodes.qos import LATCHED, STREAM
from fb_ros.paths import find_bundle
from fb_ros.task_inference.sphere import project_z
from sim.bench.watched_page import Sensors, watched_page

RATES = (25, 250)
"""Control rates in Hz."""
# Each of the two runs for this many seconds per turn.
_TURN = 5.0
# The first answers are slow, so this many are not counted.
_WARM_UP = 25
_PATIENCE = 30.0
_WITH_PAGE = "policy_node_with_page"


def benchmark_control(seconds: float, web: bool = False) -> list[dict[str, object]]:
    """Returns a row for each node and rate, measured for `seconds` each.

    With `web`, a second `policy_node` takes turns with them; its robot is shown on a page with one
    client.
    """
    stay_on_this_machine()
    rclpy.init()
    try:
        return [row for rate in RATES for row in _at(rate, seconds, web)]
    finally:
        rclpy.try_shutdown()


def _at(rate: int, seconds: float, web: bool) -> list[dict[str, object]]:
    with ExitStack() as stack:
        bundle = stack.enter_context(_bundle_at(rate))
        options = default_options("jaco") | {"namespace": f"policy_{rate}", "log_level": "warn"}
        # No task inference runs here, and z does not change.
        parameters: dict[str, Any] = {"bundle": str(bundle.path), "z_timeout": 0.0}
        policy = Process(
            name="policy_node", module="fb_ros.nodes.policy_node", parameters=parameters
        )
        echo = Process(name="echo_node", module="sim.bench.echo_node", parameters={})
        sides = {}
        cases = {"echo": echo, "policy_node": policy}
        if web:
            cases[_WITH_PAGE] = policy
        for case, process in cases.items():
            options["namespace"] = f"{case}_{rate}"
            running = subprocess.Popen(command_line(process, options), stdin=subprocess.DEVNULL)
            stack.callback(_end, running)
            # All of them get the robot's other messages, too: publishing them takes time.
            sides[case] = _Side(f"{case}_{rate}", bundle, running, sensors=web)
            stack.callback(sides[case].destroy_node)
        if web:
            stack.enter_context(watched_page(bundle, f"{_WITH_PAGE}_{rate}"))
        turns = max(1, round(seconds / _TURN))
        for _ in range(turns):
            for side in sides.values():
                side.ask(rate, seconds / turns)
        rows: list[dict[str, object]] = []
        for case, side in sides.items():
            row: dict[str, object] = {"case": case, "rate_hz": rate, **side.figures()}
            if case == "echo":
                row["reference"] = True
            else:
                row["deadline_misses"] = side.deadline_misses()
            rows.append(row)
        return rows


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        # rclpy's own signal handler may hang in the echo node; the figures do not include the
        # exit.
        process.kill()
        process.wait()


@contextmanager
def _bundle_at(rate: int) -> Iterator[Bundle]:
    """The shipped arm's model with another control period."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bundle"
        shutil.copytree(find_bundle(Path("jaco")), path)
        description = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
        description["robot"]["ctrl_dt"] = 1.0 / rate
        write_description(path, description)
        yield load_bundle(path)


class _Side(Node):
    """The robot's side of one node: it sends observations and waits for their commands."""

    def __init__(
        self, namespace: str, bundle: Bundle, process: subprocess.Popen[bytes], *, sensors: bool
    ) -> None:
        super().__init__("robot", namespace=namespace)
        self._sensors = Sensors(self, bundle.robot) if sensors else None
        self._process, self._bundle = process, bundle
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self)
        self._sent, self._back = "", 0.0
        self._times: list[float] = []
        self._misses: int | None = None
        direction = np.random.default_rng(0).standard_normal(bundle.z_dim)
        self._z = to_array_message(project_z(direction, bundle.blocks), bundle.model_id)
        self._observation = self.create_publisher(Float64MultiArray, "observation", STREAM)
        self._z_publisher = self.create_publisher(Float64MultiArray, "z", LATCHED)
        self.create_subscription(Float64MultiArray, "commands", self._on_command, STREAM)
        self.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 10)
        self._z_publisher.publish(self._z)
        self._wait(lambda: self._observation.get_subscription_count() > 0, "the node")
        self._wait(lambda: self.count_publishers("commands") > 0, "its commands")
        # Discovery is not mutual, so the first answers may get lost.
        self._wait(lambda: self._round(1.0) is not None, "an answer")

    def ask(self, rate: int, seconds: float) -> None:
        """Sends an observation every period, at `rate`."""
        for _ in range(_WARM_UP):
            self._round(1.0 / rate)
        due = time.perf_counter()
        for _ in range(round(seconds * rate)):
            due += 1.0 / rate
            taken = self._round(due - time.perf_counter())
            self._times.append(np.inf if taken is None else taken)

    def figures(self) -> dict[str, object]:
        """Percentiles over all answers, and how many did not arrive within their period."""
        times = np.array(self._times) * 1e3
        came = times[np.isfinite(times)]
        p50, p99 = np.percentile(came, [50, 99])
        return {
            "p50_ms": float(p50),
            "p99_ms": float(p99),
            "max_ms": float(came.max()),
            "unanswered": int(np.sum(~np.isfinite(times))),
            "answered": len(came),
        }

    def deadline_misses(self) -> int:
        """How many misses the node itself counts from now on."""
        self._misses = None
        self._wait(lambda: self._misses is not None, "the diagnostics")
        assert self._misses is not None
        return self._misses

    def _round(self, patience: float) -> float | None:
        """Sends one observation; returns the seconds until its command came, or None without one.

        The call lasts `patience` seconds, the time between two observations.
        """
        states = self._bundle.reference_observations
        observation = states[len(self._times) % len(states)]
        started = time.perf_counter()
        self._sent, self._back = str(time.time_ns()), 0.0
        self._observation.publish(to_array_message(observation, self._sent))
        if self._sensors is not None:
            self._sensors.publish(len(self._times))
        while (left := started + patience - time.perf_counter()) > 0.0:
            if self._back and left < 0.002:
                # The remaining time is too short to spin the middleware.
                time.sleep(left)
            else:
                self._executor.spin_once(timeout_sec=left - 0.001 if self._back else left)
        return self._back - started if self._back else None

    def _on_command(self, message: Float64MultiArray) -> None:
        if not self._back and label_of(message) == self._sent:
            self._back = time.perf_counter()

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        for status in message.status:
            if status.name == f"{self.get_namespace()}/policy_node: policy":
                self._misses = int(values_of(status).get("deadline_misses", "0"))

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while not done():
            if self._process.poll() is not None:
                raise FbRosError(f"a node of the benchmark ended with {self._process.returncode}")
            if time.monotonic() > deadline:
                raise FbRosError(f"waited {_PATIENCE:g} s for {what}; is the machine too busy?")
            self._executor.spin_once(timeout_sec=0.05)
