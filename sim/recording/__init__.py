"""Recording all that is said to a robot and done by it, and saying it again to a simulation."""
