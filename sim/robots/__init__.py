"""Simulated robots, one a file, behind one environment."""
