"""A page in the browser: a person watches a robot and says what they want of it."""
