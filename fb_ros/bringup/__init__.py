"""Describes a robot's processes once, for launch files and the command line."""
