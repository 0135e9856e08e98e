"""A simulated point mass that goes to the points published on /point_mass/prompt/goal_point."""

from fb_ros.bringup.launch_description import robot_launch_description
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` starts."""
    return robot_launch_description("point_mass")
