"""Asks a twin of the robot a question, and takes its answer."""
