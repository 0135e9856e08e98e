"""Simulated robots, one per file, behind one environment."""
