"""Publish a reward, get a behaviour: the part of fb_ros that runs on the robot."""

__version__ = "0.1.0"
