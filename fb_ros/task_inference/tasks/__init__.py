"""Turns each kind of prompt into an objective and encodings that may reach it."""
