"""A robot's processes, described once for launch files and the command line."""
