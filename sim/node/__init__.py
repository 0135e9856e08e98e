"""The node that stands in for a robot."""
