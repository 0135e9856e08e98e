"""Losses, agents and the tasks that they train on."""
