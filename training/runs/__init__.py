"""A training's settings, checkpoints and logs on disk."""
