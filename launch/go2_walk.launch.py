"""A simulated Unitree Go2 that keeps the velocities published on /go2/prompt/velocity."""

from fb_ros.bringup.launch_description import robot_launch_description
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """The robot and its nodes, with the arguments of every robot."""
    return robot_launch_description("go2")
