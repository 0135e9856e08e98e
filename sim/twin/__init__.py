"""A twin of the robot, which tries the model's proposals before the robot moves."""
