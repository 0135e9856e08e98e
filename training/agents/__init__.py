"""Losses, agents and their training tasks."""
