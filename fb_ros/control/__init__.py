"""From `z` and the state to a command that is safe to send; no ROS in it."""
