"""Describes the processes of one robot once, for the launch file and for `fb_ros demo`."""

from __future__ import annotations

import dataclasses
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from fb_ros.bringup.options import OPTIONS, default_options
from fb_ros.bringup.parameter_files import Value, parameters_of
from fb_ros.bringup.start import NODES
from fb_ros.errors import FbRosError
from fb_ros.paths import shipped
from fb_ros.settings import require_one_of

# In lock-step the robot waits for every process, so a long wall time does not make one late.
_PATIENT: Mapping[str, Value] = {
    "z_timeout": 0.0,
    "inference_timeout": 3600.0,
    "observation_timeout": 3600.0,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Process:
    """One node in its own process."""

    name: str
    """Name of the node."""
    module: str
    """Python module that runs it."""
    parameters: Mapping[str, Value]
    """ROS parameters."""
    vital: bool = True
    """Whether the robot needs the process: the others end with it."""


def robot_processes(
    robot: str, options: Mapping[str, str], outer: Mapping[str, Value] | None = None
) -> list[Process]:
    """The processes of the simulated `robot`; `options` are texts by the names of `OPTIONS`.

    `outer` are parameters set for all nodes, such as by a launch file around this one. Later ones
    override earlier ones: defaults, the robot's own file, `outer`, `params_file`, and options that
    differ from their defaults.
    """
    defaults = default_options(robot)
    values = {**defaults, **options}
    for option in OPTIONS:
        if option.choices:
            require_one_of(option.name, values[option.name], option.choices)
    own = shipped("config", f"{robot}.yaml")
    theirs = Path(values["params_file"]).expanduser() if values["params_file"] else None

    def said(node: str) -> dict[str, Value]:
        """Parameters that files and other launch actions set for a node."""
        found: dict[str, Value] = {}
        for file, more in ((own, outer or {}), (theirs, {})):
            found |= parameters_of(file, node, values["namespace"]) if file else {}
            found |= more
        return found

    def process(node: str, parameters: Mapping[str, Value], **must: Value) -> Process:
        unchanged = {name for name, value in defaults.items() if values[name] == value}
        weak = {name: value for name, value in parameters.items() if name in unchanged}
        strong = {name: value for name, value in parameters.items() if name not in unchanged}
        chosen = {**weak, **said(node), **strong, **must}
        return Process(name=node, module=NODES[node], parameters=chosen)

    set_for_all = said("policy_node").get("use_sim_time")
    if values["use_sim_time"] == defaults["use_sim_time"] and set_for_all is not None:
        values["use_sim_time"] = str(set_for_all).lower()
    simulated = values["use_sim_time"] == "true"
    publishes = simulated and values["publish_clock"] == "true"
    model: dict[str, Value] = {
        "use_sim_time": simulated,
        **{name: values[name] for name in ("bundle", "backend", "precision")},
    }
    trial = {name: model[name] for name in ("use_sim_time", "bundle", "backend")}
    twin = dataclasses.replace(process("twin_node", trial), vital=False)
    lockstep = values["lockstep"] == "true"
    processes = [
        process(
            "sim_node",
            {
                "seed": _number(values, "seed", int),
                "start": values["start"],
                "real_time_factor": _number(values, "real_time_factor", float),
                "lockstep": lockstep,
            },
            robot=robot,
            publish_clock=publishes,
            # The node that publishes the clock cannot run on it.
            use_sim_time=simulated and not publishes,
        ),
        process(
            "task_inference_node",
            {**model, "ramp_seconds": _number(values, "ramp_seconds", float)},
        ),
        process(
            "policy_node",
            {
                **model,
                "observation_source": values["observation_source"],
                "autostart": values["autostart"] == "true",
            },
            **(_PATIENT if lockstep else {}),
        ),
        *([twin] if values["twin"] == "true" else []),
    ]
    if values["web"] == "true":
        processes.append(web_process(values))
    return processes


def web_process(options: Mapping[str, str]) -> Process:
    """The page that shows a robot, simulated or real; `options` as for `robot_processes`."""
    return Process(
        name="web_node",
        module=NODES["web_node"],
        parameters={
            "bundle": options["bundle"],
            "host": options["web_host"],
            "port": _number(options, "web_port", int),
        },
        # The page only shows the robot, so its end must not end the robot.
        vital=False,
    )


def start_words(process: Process) -> list[str]:
    """Command line with which this interpreter runs the process and ends it with itself."""
    return ["-m", "fb_ros.bringup.start", "--parent", str(os.getpid()), process.module]


def command_line(process: Process, options: Mapping[str, str]) -> list[str]:
    """The command that starts `process` without `ros2 launch`, by this interpreter."""
    words = [sys.executable, *start_words(process), "--ros-args", "-r"]
    words += [f"__ns:=/{options['namespace'].strip('/')}", "--log-level", options["log_level"]]
    for name, value in process.parameters.items():
        words += ["-p", f"{name}:={_yaml(value)}"]
    return words


def _yaml(value: Value) -> str:
    if isinstance(value, str):
        # A single quote is doubled.
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, list):
        return "[" + ", ".join(_yaml(one) for one in value) + "]"
    if isinstance(value, float) and not math.isfinite(value):
        return ".nan" if math.isnan(value) else f"{'-' if value < 0.0 else ''}.inf"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(values: Mapping[str, str], name: str, kind: type[int] | type[float]) -> int | float:
    try:
        return kind(values[name])
    except ValueError:
        raise FbRosError(f"{name} is {values[name]!r}, expected a number") from None
