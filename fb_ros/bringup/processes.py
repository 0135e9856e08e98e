"""The processes of one robot, described once for the launch file and for `fb_ros demo`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from pathlib import Path

from fb_ros.backends import BACKEND_NAMES
from fb_ros.backends.graphs import PRECISIONS
from fb_ros.errors import FbRosError
from fb_ros.paths import shipped
from fb_ros.settings import require_one_of

Value = str | int | float | bool


@dataclasses.dataclass(frozen=True, kw_only=True)
class Option:
    """A setting that a person can give, as a launch argument or on the command line."""

    name: str
    default: str
    description: str
    choices: tuple[str, ...] = ()


OPTIONS = (
    Option(
        name="bundle",
        default="{robot}",
        description="model bundle: a folder, or the name of a model that ships with the package",
    ),
    Option(name="namespace", default="{robot}", description="namespace of all nodes and topics"),
    Option(
        name="use_sim_time",
        default="true",
        description="whether the nodes live by /clock",
        choices=("true", "false"),
    ),
    Option(
        name="real_time_factor",
        default="1.0",
        description="simulated seconds in a second of wall time",
    ),
    Option(
        name="backend",
        default="auto",
        description="inference runtime: a GPU's builds its engines where there are none yet and "
        "falls back to onnxruntime; auto takes a GPU for which they are built",
        choices=BACKEND_NAMES,
    ),
    Option(
        name="precision",
        default="fp32",
        description="precision of the networks' hidden layers",
        choices=PRECISIONS,
    ),
    Option(
        name="observation_source",
        default="vector",
        description="the topic observation, or the sensors': joint_states, tcp_pose, odom, imu",
        choices=("vector", "sensors"),
    ),
    Option(
        name="autostart",
        default="true",
        description="whether policy_node configures and activates itself when it starts",
        choices=("true", "false"),
    ),
    Option(
        name="ramp_seconds",
        default="0.0",
        description="seconds in which z moves to a new prompt's; 0 jumps",
    ),
    Option(
        name="twin",
        default="false",
        description="whether a simulation of the robot tries out what the model proposes, from "
        "where the robot is, and corrects its choice about a second later",
        choices=("true", "false"),
    ),
    Option(
        name="log_level",
        default="info",
        description="how much the nodes log",
        choices=("debug", "info", "warn", "error", "fatal"),
    ),
    Option(name="seed", default="0", description="seed of the simulated robot's initial states"),
    Option(
        name="start",
        default="standing",
        description="where a simulated robot with legs starts: on its feet, or as its benchmark "
        "has it, which may be on its back",
        choices=("standing", "benchmark"),
    ),
    Option(
        name="lockstep",
        default="false",
        description="whether the simulation advances only by its step service",
        choices=("true", "false"),
    ),
)

# In lock-step the robot waits for everybody: what takes long on the wall clock is not late.
_PATIENT: Mapping[str, Value] = {
    "z_timeout": 0.0,
    "inference_timeout": 3600.0,
    "observation_timeout": 3600.0,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Process:
    """One node in a process of its own."""

    name: str
    """Name of the node."""
    module: str
    """Python module that runs it."""
    parameters: Mapping[str, Value]
    """ROS parameters."""
    parameter_file: Path | None = None
    """Further ROS parameters, of the robot; the ones above win."""
    vital: bool = True
    """Whether the robot cannot do without it: the others end with it."""


def default_options(robot: str) -> dict[str, str]:
    """What every option is when nobody says otherwise, for the robot of that name."""
    return {option.name: option.default.format(robot=robot) for option in OPTIONS}


def robot_processes(robot: str, options: Mapping[str, str]) -> list[Process]:
    """The processes of the simulated `robot`; `options` are texts by the names of `OPTIONS`."""
    values = {**default_options(robot), **options}
    for option in OPTIONS:
        if option.choices:
            require_one_of(option.name, values[option.name], option.choices)
    shared: dict[str, Value] = {"use_sim_time": values["use_sim_time"] == "true"}
    model = {**shared, **{name: values[name] for name in ("bundle", "backend", "precision")}}
    simulation: dict[str, Value] = {
        "robot": robot,
        "seed": _number(values, "seed", int),
        "start": values["start"],
        "real_time_factor": _number(values, "real_time_factor", float),
        "lockstep": values["lockstep"] == "true",
        "publish_clock": values["use_sim_time"] == "true",
    }
    twin = Process(
        name="twin_node",
        module="sim.node.twin_node",
        parameters={**shared, **{name: values[name] for name in ("bundle", "backend")}},
        vital=False,
    )
    return [
        # The simulator makes the clock: it cannot live by it.
        Process(name="sim_node", module="sim.node.sim_node", parameters=simulation),
        Process(
            name="task_inference_node",
            module="fb_ros.nodes.task_inference_node",
            parameters={**model, "ramp_seconds": _number(values, "ramp_seconds", float)},
            parameter_file=shipped("config", f"{robot}.yaml"),
        ),
        Process(
            name="policy_node",
            module="fb_ros.nodes.policy_node",
            parameters={
                **model,
                "observation_source": values["observation_source"],
                "autostart": values["autostart"] == "true",
                # The simulation stamps by its own clock.
                "check_stamps": shared["use_sim_time"],
                **(_PATIENT if simulation["lockstep"] else {}),
            },
            parameter_file=shipped("config", f"{robot}.yaml"),
        ),
        *([twin] if values["twin"] == "true" else []),
    ]


def command_line(process: Process, options: Mapping[str, str]) -> list[str]:
    """The command that starts `process` without `ros2 launch`, by this very interpreter."""
    words = [sys.executable, "-m", process.module, "--ros-args", "-r"]
    words += [f"__ns:=/{options['namespace'].strip('/')}", "--log-level", options["log_level"]]
    if process.parameter_file:
        words += ["--params-file", str(process.parameter_file)]
    for name, value in process.parameters.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        # As YAML, in which a single quote is doubled.
        quoted = "'" + value.replace("'", "''") + "'" if isinstance(value, str) else text
        words += ["-p", f"{name}:={quoted}"]
    return words


def _number(values: Mapping[str, str], name: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(values[name])
    except ValueError:
        raise FbRosError(f"{name} is {values[name]!r}, expected a number") from None
