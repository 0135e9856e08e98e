"""What is said of a goal point while it is asked for: how far it is, and where, for RViz."""
