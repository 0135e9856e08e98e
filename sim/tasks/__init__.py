"""Tasks of simulated robots, and how they are scored."""
