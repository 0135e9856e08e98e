"""Starting a robot's processes, and talking to them as a person's program would."""
