"""A robot's description: its fields, its state, and how sensors fill them."""
