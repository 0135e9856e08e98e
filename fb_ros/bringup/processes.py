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


# Parameters whose option has another name.
_OPTION_OF = {"host": "web_host", "port": "web_port"}


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


class _Settings:
    """What options, files and other launch actions set for the processes of one robot."""

    def __init__(
        self, robot: str, options: Mapping[str, str], outer: Mapping[str, Value] | None = None
    ) -> None:
        self._defaults = default_options(robot)
        self.options = {**self._defaults, **options}
        for option in OPTIONS:
            if option.choices:
                require_one_of(option.name, self.options[option.name], option.choices)
        theirs = self.options["params_file"]
        self._files: tuple[tuple[Path | None, Mapping[str, Value]], ...] = (
            (shipped("config", f"{robot}.yaml"), outer or {}),
            (Path(theirs).expanduser() if theirs else None, {}),
        )
        set_for_all = self.said("policy_node").get("use_sim_time")
        if not self._differs("use_sim_time") and set_for_all is not None:
            self.options["use_sim_time"] = str(set_for_all).lower()

    def said(self, node: str) -> dict[str, Value]:
        """Parameters that files and other launch actions set for a node."""
        found: dict[str, Value] = {}
        for file, more in self._files:
            found |= parameters_of(file, node, self.options["namespace"]) if file else {}
            found |= more
        return found

    def process(self, node: str, parameters: Mapping[str, Value], **must: Value) -> Process:
        """The process of a node, with what is `said` between its options' defaults and those
        options that differ from them."""
        weak = {name: value for name, value in parameters.items() if not self._differs(name)}
        strong = {name: value for name, value in parameters.items() if self._differs(name)}
        chosen = {**weak, **self.said(node), **strong, **must}
        return Process(name=node, module=NODES[node], parameters=chosen)

    def number(self, name: str, kind: type[int] | type[float]) -> int | float:
        """The option `name` as a number; refuses another text."""
        try:
            return kind(self.options[name])
        except ValueError:
            raise FbRosError(f"{name} is {self.options[name]!r}, expected a number") from None

    def _differs(self, name: str) -> bool:
        """Whether the option of a parameter differs from its default, or there is none."""
        option = _OPTION_OF.get(name, name)
        return option not in self._defaults or self.options[option] != self._defaults[option]


def robot_processes(
    robot: str, options: Mapping[str, str], outer: Mapping[str, Value] | None = None
) -> list[Process]:
    """The processes of the simulated `robot`; `options` are texts by the names of `OPTIONS`.

    `outer` are parameters set for all nodes, such as by a launch file around this one. Later ones
    override earlier ones: defaults, the robot's own file, `outer`, `params_file`, and options that
    differ from their defaults.
    """
    settings = _Settings(robot, options, outer)
    values = settings.options
    simulated = values["use_sim_time"] == "true"
    publishes = simulated and values["publish_clock"] == "true"
    model: dict[str, Value] = {
        "use_sim_time": simulated,
        **{name: values[name] for name in ("bundle", "backend", "precision")},
    }
    lockstep = values["lockstep"] == "true"
    processes = [
        settings.process(
            "sim_node",
            {
                "seed": settings.number("seed", int),
                "start": values["start"],
                "real_time_factor": settings.number("real_time_factor", float),
                "lockstep": lockstep,
            },
            robot=robot,
            publish_clock=publishes,
            # The node that publishes the clock cannot run on it.
            use_sim_time=simulated and not publishes,
        ),
        settings.process(
            "task_inference_node",
            {**model, "ramp_seconds": settings.number("ramp_seconds", float)},
        ),
        settings.process(
            "policy_node",
            {
                **model,
                "observation_source": values["observation_source"],
                "autostart": values["autostart"] == "true",
            },
            **(_PATIENT if lockstep else {}),
        ),
    ]
    if values["twin"] == "true":
        trial = {name: model[name] for name in ("use_sim_time", "bundle", "backend")}
        twin = settings.process("twin_node", trial)
        processes.append(dataclasses.replace(twin, vital=False))
    if values["web"] == "true":
        processes.append(_web_process(settings))
    return processes


def web_process(robot: str, options: Mapping[str, str]) -> Process:
    """The page that shows a robot, simulated or real; `options` as for `robot_processes`."""
    return _web_process(_Settings(robot, options))


def _web_process(settings: _Settings) -> Process:
    page = settings.process(
        "web_node",
        {
            "bundle": settings.options["bundle"],
            "host": settings.options["web_host"],
            "port": settings.number("web_port", int),
        },
    )
    # The page only shows the robot, so its end must not end the robot.
    return dataclasses.replace(page, vital=False)


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
