"""How long a twin takes to answer, and whether the robot's own nodes miss deadlines meanwhile."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from fb_ros.bringup.options import default_options
from fb_ros.bundle.bundle import load_bundle
from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import values_of
from fb_ros.nodes.qos import LATCHED
from sim.client.robot_client import RobotClient
from sim.client.running_robot import running_robot
from sim.progress import progress_bar

# Formulas that a person may type: dense and sparse, of one feature and of several.
_FORMULAS = (
    "-norm(tcp_pos - [{x:.4f}, 0.1, 0.2])",
    "norm(tcp_pos - [{x:.4f}, -0.1, 0.2]) < 0.05",
    "tcp_pos[0] > {x:.4f}",
    "(tcp_pos[2] > 0.2) * (tcp_pos[1] < {x:.4f})",
)
_REACH = 0.15
# Pause between an answer and the next prompt, in which the robot moves.
_PAUSE_SECONDS = 0.5


def benchmark_twin(bundle: Path, prompts: int) -> list[dict[str, object]]:
    """Returns a row: milliseconds from a prompt to the twin's answer, and policy_node's misses."""
    loaded = load_bundle(bundle)
    robot = loaded.robot
    options = default_options(robot.name) | {
        "bundle": str(bundle),
        "twin": "true",
        "log_level": "warn",
        "namespace": "benchmark",
    }
    with running_robot(robot.name, options, frame=robot.frame) as client:
        client.wait_for(lambda: client.count_subscribers("twin/question") > 0, "the twin")
        answers: list[dict[str, str]] = []
        client.create_subscription(
            DiagnosticStatus, "prompt/status", lambda s: answers.append(values_of(s)), LATCHED
        )
        _ask(client, answers, _FORMULAS[0].format(x=0.0))
        before = _missed(client)
        times, changed = [], 0
        places = np.linspace(-_REACH, _REACH, prompts)
        for number, x in enumerate(progress_bar(places, title="twin", unit="prompt")):
            formula = _FORMULAS[number % len(_FORMULAS)].format(x=x)
            milliseconds, told = _ask(client, answers, formula)
            times.append(milliseconds)
            changed += told["twin"] != "the model chose well"
            _go_on(client, _PAUSE_SECONDS)
        missed = _missed(client) - before
    return [
        {
            "case": "twin",
            "p50_ms": float(np.percentile(times, 50)),
            "p99_ms": float(np.percentile(times, 99)),
            "max_ms": float(np.max(times)),
            "prompts": prompts,
            "changed": changed,
            "missed_deadlines": missed,
        }
    ]


def _ask(
    client: RobotClient, answers: list[dict[str, str]], formula: str
) -> tuple[float, dict[str, str]]:
    """Milliseconds from publishing a formula to the twin's result, and that result."""
    answers.clear()
    started = time.perf_counter()
    first = values_of(client.publish_formula(formula))
    if first.get("twin") != "asked":
        raise FbRosError(f"the twin was not asked about {formula}")
    client.wait_for(lambda: bool(answers) and "twin_ms" in answers[-1], "what the twin has to say")
    return (time.perf_counter() - started) * 1e3, answers[-1]


def _go_on(client: RobotClient, seconds: float) -> None:
    until = time.monotonic() + seconds
    client.wait_for(lambda: time.monotonic() > until, "the robot to move")


def _missed(client: RobotClient) -> int:
    """Deadlines that policy_node has missed, from its newest diagnostics."""
    # Diagnostics come once a second; the next ones count all misses until now.
    _go_on(client, 1.1)
    return int(client.policy_figures()["deadline_misses"])
