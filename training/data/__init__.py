"""Episodes on disk, other formats, and the transitions that training draws."""
