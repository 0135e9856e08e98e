"""Turns a prompt into the task encoding `z`."""
