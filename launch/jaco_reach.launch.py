"""A simulated Jaco arm that reaches for the points published on /jaco/prompt/goal_point."""

from fb_ros.bringup.launch_description import robot_launch_description
from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """What `ros2 launch` starts."""
    return robot_launch_description("jaco")
