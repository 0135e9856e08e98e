"""Describes a robot: its fields, its state, and how its sensors' messages give both."""
