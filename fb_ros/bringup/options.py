"""Options of a robot's processes, described once for launch files and commands."""

from __future__ import annotations

import dataclasses

from fb_ros import described
from fb_ros.backends import BACKEND_NAMES
from fb_ros.backends.graphs import PRECISIONS


@dataclasses.dataclass(frozen=True, kw_only=True)
class Option:
    """A setting, given as a launch argument or on the command line."""

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
        description="whether the nodes use /clock",
        choices=("true", "false"),
    ),
    Option(
        name="publish_clock",
        default="true",
        description="whether this simulation publishes /clock; only one may, so a second robot "
        "takes false and uses the first one's",
        choices=("true", "false"),
    ),
    Option(
        name="params_file",
        default="",
        description="YAML file of ROS parameters for the nodes; it overrides defaults, and a "
        "given argument overrides it",
    ),
    Option(
        name="real_time_factor",
        default="1.0",
        description="simulated seconds per second of wall time",
    ),
    Option(
        name="backend",
        default="auto",
        description=described.BACKEND,
        choices=BACKEND_NAMES,
    ),
    Option(
        name="precision",
        default="fp32",
        description=described.PRECISION,
        choices=PRECISIONS,
    ),
    Option(
        name="observation_source",
        default="vector",
        description=described.OBSERVATION_SOURCE,
        choices=described.SOURCES,
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
        description="whether a simulation of the robot tries what the model proposes, from where "
        "the robot is, and corrects its choice about a second later",
        choices=("true", "false"),
    ),
    Option(
        name="log_level",
        default="info",
        description="how much the nodes log",
        choices=("debug", "info", "warn", "error", "fatal"),
    ),
    Option(
        name="rviz",
        default="false",
        description="whether to start RViz, too; its Publish Point sends the robot to a point",
        choices=("true", "false"),
    ),
    Option(name="seed", default="0", description="seed of the simulated robot's initial states"),
    Option(
        name="start",
        default="standing",
        description="where a simulated robot with legs starts: on its feet, or as in its "
        "benchmark, possibly on its back",
        choices=("standing", "benchmark"),
    ),
    Option(
        name="lockstep",
        default="false",
        description="whether the simulation advances only by its step service",
        choices=("true", "false"),
    ),
    Option(
        name="web",
        default="false",
        description="whether a page in the browser shows the robot and takes prompts",
        choices=("true", "false"),
    ),
    Option(name="web_port", default="8080", description="port that the page listens on"),
    Option(
        name="web_host",
        default="127.0.0.1",
        description="address that the page listens on; if others can reach it, the page asks for "
        "a token, which is in the log",
    ),
)


def default_options(robot: str) -> dict[str, str]:
    """The default of every option, for the robot of that name."""
    return {option.name: option.default.format(robot=robot) for option in OPTIONS}
