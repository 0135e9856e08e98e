"""Turns `z` and the robot's state into a command that is safe to send; uses no ROS."""
