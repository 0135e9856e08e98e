"""What simulated robots are asked to do, and how it is scored."""
