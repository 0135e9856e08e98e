"""From a prompt to the task encoding `z`."""
