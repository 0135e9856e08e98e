"""Starting a robot's processes, and talking to them as a user's program would."""
