"""Reports a goal point while it is asked for: the distance to it, and its place for RViz."""
