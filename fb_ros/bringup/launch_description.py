"""Describes for `ros2 launch` the processes of `fb_ros.bringup.processes`.

Only this file imports `launch` and `launch_ros`, which a machine with ROS 2 has.
"""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable
from pathlib import Path

from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from fb_ros.bringup.options import OPTIONS, default_options
from fb_ros.bringup.parameter_files import Value, parameters_of
from fb_ros.bringup.processes import Process, robot_processes, start_words
from fb_ros.errors import FbRosError
from fb_ros.paths import shipped
from launch import LaunchContext, LaunchDescription


def robot_launch_description(robot: str | None = None) -> LaunchDescription:
    """Starts the simulated `robot`, its task inference and its policy.

    Without `robot` the description has an argument `robot` that names it.
    """
    defaults = default_options(robot or "")
    arguments = [
        DeclareLaunchArgument(
            option.name,
            default_value=defaults[option.name],
            description=option.description,
            choices=list(option.choices) or None,
        )
        for option in OPTIONS
    ]
    if robot is None:
        which = DeclareLaunchArgument("robot", description="robot to simulate, by its name")
        arguments.insert(0, which)

    def start(context: LaunchContext) -> list[Node]:
        _refuse_unknown(context)
        which = robot or LaunchConfiguration("robot").perform(context)
        options = {
            option.name: LaunchConfiguration(option.name).perform(context)
            or default_options(which)[option.name]
            for option in OPTIONS
        }
        outer = _outer_parameters(context, options["namespace"])
        nodes = [_node(process, options) for process in robot_processes(which, options, outer)]
        return [*nodes, *([_rviz(options)] if options["rviz"] == "true" else [])]

    return LaunchDescription([*arguments, OpaqueFunction(function=start)])


def _node(process: Process, options: dict[str, str]) -> Node:
    def on_exit(event: ProcessExited, context: LaunchContext) -> Shutdown | None:
        if context.is_shutdown:
            return None
        if event.returncode:
            # Launch then ends with a status that shows the failure, too.
            raise FbRosError(f"{process.name} ended with status {event.returncode}")
        # One process that ends takes the others along: half a robot helps nobody.
        return Shutdown(reason=f"{process.name} ended")

    return Node(
        name=process.name,
        exec_name=process.name,
        namespace=options["namespace"],
        # The process is started by module, not by executable, so this also works from pip's
        # install, which puts no executables where launch looks for them.
        executable=sys.executable,
        arguments=start_words(process),
        ros_arguments=["--log-level", options["log_level"]],
        parameters=[dict(process.parameters)],
        output="screen",
        on_exit=on_exit if process.vital else None,
    )


def _rviz(options: dict[str, str]) -> Node:
    """RViz in the robot's namespace, where its topics are; the robot outlives it."""
    return Node(
        package="rviz2",
        executable="rviz2",
        name="rviz",
        namespace=options["namespace"],
        arguments=["-d", str(shipped("config", "robot.rviz"))],
        # Each robot publishes its links on its own topics.
        remappings=[("/tf", "tf"), ("/tf_static", "tf_static")],
        parameters=[{"use_sim_time": options["use_sim_time"] == "true"}],
    )


def _outer_parameters(context: LaunchContext, namespace: str) -> dict[str, Value]:
    """Parameters that outer launch files set for all nodes."""
    found: dict[str, Value] = {}
    for entry in context.launch_configurations.get("global_params", []):
        if isinstance(entry, tuple):
            found[entry[0]] = entry[1]
        else:
            found |= parameters_of(Path(entry), "policy_node", namespace)
    return found


def _refuse_unknown(context: LaunchContext) -> None:
    """Refuses arguments of `ros2 launch` that nothing reads, if this file is the one launched."""
    file = Path(str(getattr(context.locals, "current_launch_file_path", ""))).name
    if not file or file not in [Path(word).name for word in sys.argv]:
        # Another launch file includes this one, and has arguments of its own.
        return
    known = ["robot", "launch-prefix", "launch-prefix-filter", *(one.name for one in OPTIONS)]
    unknown = [name for name in _names(context.argv) if name not in known]
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, 1)
        hint = f"; did you mean {close[0]}?" if close else f"; there are {', '.join(known)}"
        raise FbRosError(f"unknown launch argument {unknown[0]}{hint}")


def _names(words: Iterable[str]) -> list[str]:
    return [word.partition(":=")[0] for word in words if ":=" in word]
