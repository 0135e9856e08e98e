"""A twin of the robot, which tries out what a model proposes before the robot moves."""
