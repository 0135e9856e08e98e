"""Offline training: data, networks, losses, agents, evaluation and export."""
