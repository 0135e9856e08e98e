"""A question to a twin of the robot, and its answer."""
