"""Measuring how well a model does what it is asked for."""
