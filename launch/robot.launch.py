"""A simulated robot of any kind: robot:=walker bundle:=PATH, and all that the others take."""

from fb_ros.bringup.launch_description import robot_launch_description
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """The robot that the argument `robot` names, with the arguments of every robot."""
    return robot_launch_description()
