"""`ros2 launch`'s view of the processes that `fb_ros.bringup.processes` describes.

This is the one file that imports `launch` and `launch_ros`, which a machine with ROS 2 has.
"""

from __future__ import annotations

import sys

from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from fb_ros.bringup.processes import OPTIONS, default_options, robot_processes
from launch import LaunchContext, LaunchDescription


def robot_launch_description(robot: str) -> LaunchDescription:
    """Starts the simulated `robot`, its task inference and its policy."""
    defaults = default_options(robot)
    arguments = [
        DeclareLaunchArgument(
            option.name,
            default_value=defaults[option.name],
            description=option.description,
            choices=list(option.choices) or None,
        )
        for option in OPTIONS
    ]

    def start(context: LaunchContext) -> list[Node]:
        options = {
            option.name: LaunchConfiguration(option.name).perform(context) for option in OPTIONS
        }
        return [
            Node(
                name=process.name,
                exec_name=process.name,
                namespace=options["namespace"],
                # By module and not by executable: so it works from pip's install, too, which
                # puts no executables where launch looks for them.
                executable=sys.executable,
                arguments=["-m", process.module],
                ros_arguments=["--log-level", options["log_level"]],
                parameters=[
                    *([str(process.parameter_file)] if process.parameter_file else []),
                    dict(process.parameters),
                ],
                output="screen",
                # One that ends takes the others along: half a robot helps nobody.
                on_exit=Shutdown(reason=f"{process.name} ended") if process.vital else None,
            )
            for process in robot_processes(robot, options)
        ]

    return LaunchDescription([*arguments, OpaqueFunction(function=start)])
