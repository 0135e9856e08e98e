"""Thin ROS 2 nodes: message to array, a call into the core, array to message."""
