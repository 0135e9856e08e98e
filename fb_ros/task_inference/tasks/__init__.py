"""What each kind of prompt asks for, and encodings that may do it."""
