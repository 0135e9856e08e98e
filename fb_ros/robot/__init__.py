"""What a robot is: its fields, its state, and what its sensors say of them."""
