"""Each kind of prompt as an objective, and encodings that may do it."""
