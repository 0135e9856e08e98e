"""`fb_ros demo`: the three nodes over DDS, and a person who publishes goals."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from fb_ros.backends.graphs import Precision
from fb_ros.bringup.options import default_options
from fb_ros.bringup.parent import end_with_it
from fb_ros.bundle.bundle import load_bundle
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.paths import find_bundle
from sim.client.running_robot import running_robot, running_with
from sim.client.walking_client import WalkingClient
from sim.ranges import require_episodes, require_factor, require_seed
from sim.tasks.score import final_errors, reach_figures
from sim.tasks.square import SQUARE, show_square, walk_square
from sim.tasks.tasks import EPISODE_SECONDS, REACH, make_task
from sim.web.readiness import require_page

_HERE = "127.0.0.1"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DemoConfig(CommandConfig):
    """Start a simulated robot and its nodes, publish goals, and watch it reach for them.

    A robot that keeps velocities walks a square instead.
    """

    bundle: Path = Path("jaco")
    """Folder of a bundle, or the name of a model that ships."""
    task: str = REACH
    """`reach` for goals drawn from the workspace, or a fixed task such as `reach_top_left`."""
    goals: int = 5
    """Number of goals to publish, one after the other."""
    seed: int = 0
    """Seed of initial states and goals."""
    stay: bool = False
    """Publish nothing and stay until interrupted, for `fb_ros prompt` in another terminal."""
    reset: bool = False
    """Reset the robot before every goal, as `fb_ros evaluate` does; otherwise it continues from
    where the last goal ended."""
    web: bool = False
    """Show the robot on a page in the browser, which also takes prompts; see `fb_ros web`."""
    web_port: int = 8080
    """Port that the page listens on, on this machine only."""
    real_time_factor: float = 1.0
    """Simulated seconds per second of wall time."""
    twin: bool = False
    """Let a simulation of the robot try what the model proposes, and correct its choice."""
    backend: str = "auto"
    """Inference runtime."""
    precision: Precision = "fp32"
    """Precision of the networks' hidden layers."""

    def __post_init__(self) -> None:
        require_episodes(self.goals)
        require_seed(self.seed)
        require_factor(self.real_time_factor)


def demo(config: DemoConfig) -> Result:
    """Runs the goals; the key `ok` says whether all of them were reached."""
    end_with_it()
    path = find_bundle(config.bundle).resolve()
    bundle = load_bundle(path)
    robot = bundle.robot
    task = make_task(config.task, robot)
    walks = bool(robot.velocity_widths) and not config.stay
    if not (config.stay or walks) and robot.goal_feature not in bundle.encoder_features:
        raise FbRosError(
            f"{path.name} takes no points to go to, its B does not read {robot.goal_feature}; "
            "start it with --stay and ask with `fb_ros prompt`"
        )
    if config.web:
        require_page(_HERE, config.web_port)
    options = default_options(robot.name) | {
        "web": str(config.web).lower(),
        "web_host": _HERE,
        "web_port": str(config.web_port),
        "bundle": str(path),
        "seed": str(config.seed),
        "real_time_factor": str(config.real_time_factor),
        "backend": config.backend,
        "twin": str(config.twin).lower(),
        "precision": config.precision,
        "log_level": "warn",
    }
    if walks:
        _say(f"starting {robot.name}: sim_node, task_inference_node, policy_node")
        with running_with(WalkingClient, robot.name, options, frame=robot.frame) as walker:
            walked = walk_square(walker)
        described = {"task": SQUARE, "robot": robot.name, "seed": config.seed}
        return described | walked | {"model_id": bundle.model_id}
    steps = round(EPISODE_SECONDS / robot.ctrl_dt)
    goals, distances = np.empty((config.goals, 3)), np.empty((config.goals, steps))
    _say(f"starting {robot.name}: sim_node, task_inference_node, policy_node")
    with running_robot(robot.name, options, frame=robot.frame) as client:
        if config.web:
            _say(f"see it and steer it: open http://{_HERE}:{config.web_port} in a browser")
        if config.stay:
            _say(f"ready for `fb_ros prompt` and topics in /{options['namespace']}; Ctrl-C ends")
            client.stay()
        for episode in range(config.goals):
            goal = goals[episode] = task.goal(config.seed, episode)
            status = client.publish_goal(goal)
            if status.level == DiagnosticStatus.ERROR:
                raise FbRosError(status.message)
            # The robot already starts in the first episode's initial state.
            anew = config.reset and episode > 0
            start = client.reset()["time"] if anew else client.now()
            show = _Progress(f"goal {episode + 1}/{config.goals} {_point(goal)}", goal)
            positions = client.watch(EPISODE_SECONDS, robot.ctrl_dt, start, show)
            distances[episode] = np.linalg.norm(positions - goal, axis=1)
            show.end()
    errors = final_errors(robot, distances)
    figures = reach_figures(task, distances)
    rows = [
        {
            "goal": goal.tolist(),
            "start_m": float(distance[0]),
            "final_error_m": float(error),
            "return": float(task.reward(distance).sum()),
            "reached": bool(error < robot.goal_radius),
        }
        for goal, distance, error in zip(goals, distances, errors, strict=True)
    ]
    return {
        "ok": bool(np.all(errors < robot.goal_radius)),
        "task": task.name,
        "robot": robot.name,
        **figures,
        "seed": config.seed,
        "model_id": bundle.model_id,
        "goals": rows,
    }


class _Progress:
    """The distance to the goal: live on a terminal, once a second elsewhere."""

    def __init__(self, title: str, goal: np.ndarray) -> None:
        self._title, self._goal = title, goal
        self._live = sys.stderr.isatty()
        self._second = -1

    def __call__(self, seconds: float, position: np.ndarray) -> None:
        distance = 100.0 * float(np.linalg.norm(position - self._goal))
        line = f"{self._title}  {seconds:4.1f} s  {distance:5.1f} cm  {'#' * round(distance)}"
        if self._live:
            print(f"\r\033[K{line[:100]}", end="", file=sys.stderr, flush=True)
        elif int(seconds) != self._second:
            self._second = int(seconds)
            _say(line[:100])

    def end(self) -> None:
        if self._live:
            print(file=sys.stderr)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _point(goal: np.ndarray) -> str:
    return "(" + ", ".join(f"{value:5.2f}" for value in goal) + ")"


def _show(result: Result) -> str:
    if result["task"] == SQUARE:
        return show_square(result)
    lines = ["", "goal (m)                   start    last second   return"]
    for row in result["goals"]:
        mark = "reached" if row["reached"] else "MISSED"
        lines.append(
            f"{_point(np.asarray(row['goal'])):<24} {row['start_m'] * 100:5.1f} cm "
            f"{row['final_error_m'] * 100:8.1f} cm {row['return']:8.1f}   {mark}"
        )
    reached = sum(row["reached"] for row in result["goals"])
    lines.append(
        f"{reached} of {result['episodes']} reached, mean return {result['mean_return']:.1f}"
    )
    return "\n".join(lines)


COMMAND = Command(config=DemoConfig, run=demo, show=_show)
